// The real WebClient over the wire: answers, refusals, limits of rate and lifetime, faults.
import { WebAPIHTTPError, WebAPIRateLimitedError, WebAPIRequestError, WebClient } from '@slack/web-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startWorkspace, type Workspace } from '../src/workspace.ts';
import { codeOf, connect, rawClient, silent } from './bolt.ts';

let clock = 0;
let workspace: Workspace;
let client: WebClient;

beforeEach(async () => {
  clock = Date.UTC(2026, 0, 1);
  workspace = await startWorkspace({ now: () => clock });
  client = rawClient(workspace);
});
afterEach(() => workspace.close());

const post = (text: string, more: object = {}) =>
  client.chat.postMessage({ channel: 'CINCIDENTS', text, ...more });

describe('messages', () => {
  test('are posted, threaded, updated, deleted and read back with their metadata', async () => {
    const metadata = { event_type: 'incident', event_payload: { id: 'i-1' } };
    const root = await post('root', { metadata });
    const ts = root.ts ?? '';
    const reply = await post('reply', { thread_ts: ts });
    const nested = await post('reply to the reply', { thread_ts: reply.ts });
    await client.chat.update({ channel: 'CINCIDENTS', ts, text: 'new root' });
    await client.chat.delete({ channel: 'CINCIDENTS', ts: nested.ts ?? '' });

    const history = await client.conversations.history({ channel: 'CINCIDENTS', include_all_metadata: true });
    expect(history.messages).toMatchObject([{ ts, text: 'new root', metadata, reply_count: 1 }]);
    const bare = await client.conversations.history({ channel: 'CINCIDENTS' });
    expect(bare.messages?.[0]).not.toHaveProperty('metadata');
    const replies = await client.conversations.replies({ channel: 'CINCIDENTS', ts });
    expect(replies.messages?.map((message) => message.text)).toEqual(['new root', 'reply']);
    expect(workspace.thread('incidents', ts)).toHaveLength(2);
  });

  test('are paged newest first, and only those after `oldest`', async () => {
    const sent: string[] = [];
    for (const text of ['a', 'b', 'c', 'd']) {
      clock += 2000;
      sent.push((await post(text)).ts ?? '');
    }
    const first = await client.conversations.history({ channel: 'CINCIDENTS', limit: 3 });
    expect(first.messages?.map((message) => message.text)).toEqual(['d', 'c', 'b']);
    const cursor = first.response_metadata?.next_cursor ?? '';
    const second = await client.conversations.history({ channel: 'CINCIDENTS', limit: 3, cursor });
    expect(second.messages?.map((message) => message.text)).toEqual(['a']);
    expect(second.has_more).toBe(false);
    const later = await client.conversations.history({ channel: 'CINCIDENTS', oldest: sent[1] ?? '' });
    expect(later.messages?.map((message) => message.text)).toEqual(['d', 'c']);
  });

  test('reach one person, or a direct message, or nobody', async () => {
    await client.chat.postEphemeral({ channel: 'CINCIDENTS', user: 'UDAN000001', text: 'only you' });
    expect(workspace.ephemerals('dan')[0]?.text).toBe('only you');
    const { channel } = await client.conversations.open({ users: 'UDAN000001' });
    await client.chat.postMessage({ channel: channel?.id ?? '', text: 'hello' });
    await client.chat.postMessage({ channel: 'UDAN000001', text: 'again' });
    expect(workspace.messages(channel?.id ?? '').map((message) => message.text)).toEqual(['hello', 'again']);
    const link = await client.chat.getPermalink({
      channel: channel?.id ?? '',
      message_ts: workspace.messages(channel?.id ?? '')[0]?.ts ?? '',
    });
    expect((await fetch(link.permalink ?? '', { redirect: 'manual' })).headers.get('location')).toContain(
      channel?.id,
    );
  });

  test('longer than Slack takes are cut when new and refused when updated', async () => {
    const { ts = '' } = await post('x'.repeat(40_001));
    expect(workspace.messages('incidents')[0]?.text).toHaveLength(40_000);
    const update = client.chat.update({ channel: 'CINCIDENTS', ts, text: 'x'.repeat(40_001) });
    expect(await codeOf(update)).toBe('msg_too_long');
  });

  test('that are bad blocks name the place of each problem', async () => {
    const text = { type: 'mrkdwn' as const, text: 'x'.repeat(3001) };
    const problem = 'must be less than 3001 characters [json-pointer:/blocks/0/text/text]';
    await expect(post('x', { blocks: [{ type: 'section', text }] })).rejects.toMatchObject({
      data: {
        error: 'invalid_blocks',
        errors: [problem],
        response_metadata: { messages: [`[ERROR] ${problem}`] },
      },
    });
    expect(workspace.messages('incidents')).toEqual([]);
  });

  test('carry the reactions of the bot once', async () => {
    const { ts = '' } = await post('x');
    const react = () => client.reactions.add({ channel: 'CINCIDENTS', timestamp: ts, name: 'eyes' });
    await react();
    expect(await codeOf(react())).toBe('already_reacted');
    expect(workspace.messages('incidents')[0]?.reactions).toEqual([
      { name: 'eyes', users: [workspace.botUserId] },
    ]);
  });
});

test('every refusal has the code that Slack uses', async () => {
  await workspace.close();
  workspace = await startWorkspace({ rates: 'off', now: () => clock });
  client = rawClient(workspace);
  const { ts = '' } = await post('mine');
  const theirs = workspace.say('dan', 'incidents', 'theirs').ts;
  const channel = 'CINCIDENTS';
  const view = { type: 'modal' as const, title: { type: 'plain_text' as const, text: 'x' }, blocks: [] };
  const cases: [string, Promise<unknown>][] = [
    ['not_authed', rawClient(workspace, '').auth.test()],
    ['invalid_auth', rawClient(workspace, 'xoxb-wrong').auth.test()],
    ['not_allowed_token_type', client.apps.connections.open()],
    ['not_allowed_token_type', rawClient(workspace, workspace.appToken).auth.test()],
    ['unknown_method', client.apiCall('chat.shout')],
    ['channel_not_found', client.chat.postMessage({ channel: 'CNOWHERE', text: 'x' })],
    ['channel_not_found', client.chat.postMessage({ channel: 'CSECPRIV01', text: 'x' })],
    ['channel_not_found', client.conversations.info({ channel: 'CSECPRIV01' })],
    ['not_in_channel', client.chat.postMessage({ channel: 'CGENERAL01', text: 'x' })],
    ['not_in_channel', client.conversations.history({ channel: 'CGENERAL01' })],
    ['no_text', client.apiCall('chat.postMessage', { channel })],
    ['invalid_blocks_format', client.apiCall('chat.postMessage', { channel, blocks: 'not json' })],
    [
      'invalid_metadata_schema',
      client.apiCall('chat.postMessage', { channel, text: 'x', metadata: { a: 1 } }),
    ],
    ['thread_not_found', client.chat.postMessage({ channel, text: 'x', thread_ts: '1.000001' })],
    ['message_not_found', client.chat.update({ channel, ts: '1.000001', text: 'x' })],
    ['cant_update_message', client.chat.update({ channel, ts: theirs, text: 'x' })],
    ['cant_delete_message', client.chat.delete({ channel, ts: theirs })],
    ['user_not_found', client.users.info({ user: 'UNOBODY' })],
    ['user_not_in_channel', client.chat.postEphemeral({ channel, user: 'UROLF00001', text: 'x' })],
    ['no_such_subteam', client.usergroups.users.list({ usergroup: 'SNONE' })],
    ['invalid_trigger_id', client.views.open({ trigger_id: '1.2.x', view })],
    ['not_found', client.views.update({ view_id: 'VNONE', view })],
    ['invalid_arguments', client.apiCall('chat.update', { channel, text: 'x' })],
  ];
  expect(await Promise.all(cases.map(([, call]) => codeOf(call)))).toEqual(cases.map(([code]) => code));
  expect(workspace.messages('incidents').map((message) => message.ts)).toEqual([ts, theirs]);
});

test('archived channels refuse messages', async () => {
  const archived = { id: 'COLD', name: 'old', isArchived: true, members: [workspace.botUserId] };
  const other = await startWorkspace({ channels: [archived] });
  const call = rawClient(other).chat.postMessage({ channel: 'COLD', text: 'x' });
  expect(await codeOf(call)).toBe('is_archived');
  await other.close();
});

test('people are told apart by what they are', async () => {
  const people = await client.users.list({});
  const flags = Object.fromEntries(
    (people.members ?? []).map((member) => [
      member.name,
      [member.deleted && 'deleted', member.is_bot && 'bot', member.is_restricted && 'guest'].filter(Boolean),
    ]),
  );
  expect(flags).toMatchObject({ rolf: ['deleted'], gail: ['guest'], tourniquet: ['bot'], maya: [] });
  const { user } = await client.users.info({ user: 'UPETRA0001' });
  expect(user).toMatchObject({ is_stranger: true, team_id: 'T0PARTNER1' });
  const { channel } = await client.conversations.info({ channel: 'CINCIDENTS' });
  expect(channel).toMatchObject({ is_member: true, is_ext_shared: true });
  const { members } = await client.conversations.members({ channel: 'CINCIDENTS' });
  expect(members).toContain('UPETRA0001');
});

test('JSON bodies work like form-encoded ones', async () => {
  const response = await fetch(`${workspace.apiUrl}chat.postMessage`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${workspace.botToken}` },
    body: JSON.stringify({ channel: 'CINCIDENTS', blocks: [{ type: 'divider' }] }),
  });
  expect(await response.json()).toMatchObject({ ok: true, channel: 'CINCIDENTS' });
  const inBody = await fetch(`${workspace.apiUrl}auth.test`, {
    method: 'POST',
    body: new URLSearchParams({ token: workspace.botToken }),
  });
  expect(await inBody.json()).toMatchObject({ ok: true, user_id: workspace.botUserId });
});

describe('lifetimes', () => {
  test('a trigger opens one view within three seconds', async () => {
    const triggers: string[] = [];
    await using connected = await connect({ now: () => clock }, (app) => {
      app.command('/revoke-sa', async ({ ack, body }) => {
        triggers.push(body.trigger_id);
        await ack();
      });
    });
    const raw = rawClient(connected.workspace);
    const view = { type: 'modal' as const, title: { type: 'plain_text' as const, text: 'x' }, blocks: [] };
    const open = (index: number) => codeOf(raw.views.open({ trigger_id: triggers[index] ?? '', view }));
    await connected.workspace.slash('maya', 'incidents', '/revoke-sa');
    await connected.workspace.slash('maya', 'incidents', '/revoke-sa');
    clock += 3000;
    expect(await open(0)).toBe('ok');
    expect(await open(0)).toBe('exchanged_trigger_id');
    clock += 1;
    expect(await open(1)).toBe('expired_trigger_id');
    const id = connected.workspace.views('maya')[0]?.id ?? '';
    expect(await codeOf(raw.views.update({ view_id: id, hash: 'old', view }))).toBe('hash_conflict');
    const bad = { ...view, title: { type: 'plain_text' as const, text: 'x'.repeat(25) } };
    await expect(raw.views.update({ view_id: id, view: bad })).rejects.toMatchObject({
      data: {
        error: 'invalid_arguments',
        errors: ['must be less than 25 characters [json-pointer:/view/title/text]'],
      },
    });
  });

  test('modals stack three deep and weigh at most 250 KB', async () => {
    const triggers: string[] = [];
    await using connected = await connect({ rates: 'off' }, (app) => {
      app.command('/revoke-sa', async ({ ack, body }) => {
        triggers.push(body.trigger_id);
        await ack();
      });
    });
    const raw = rawClient(connected.workspace);
    const line = { type: 'section', text: { type: 'plain_text', text: 'x'.repeat(3000) } };
    const view = (lines: number) => ({
      type: 'modal' as const,
      title: { type: 'plain_text' as const, text: 'x' },
      blocks: Array.from({ length: lines }, () => line),
    });
    const show = async (method: 'open' | 'push', lines = 1) => {
      await connected.workspace.slash('maya', 'incidents', '/revoke-sa');
      return await codeOf(raw.views[method]({ trigger_id: triggers.pop() ?? '', view: view(lines) }));
    };
    expect(await show('open', 90)).toBe('view_too_large');
    expect([await show('open'), await show('push'), await show('push')]).toEqual(['ok', 'ok', 'ok']);
    expect(await show('push')).toBe('push_limit_reached');
    expect(connected.workspace.views('maya')).toHaveLength(3);
  });

  test('a response_url takes five messages within half an hour, and replaces or deletes its message', async () => {
    const urls: string[] = [];
    await using connected = await connect({ now: () => clock }, (app) => {
      app.action('go', async ({ ack, body }) => {
        if (body.type === 'block_actions') urls.push(body.response_url);
        await ack();
      });
    });
    const own = connected.workspace;
    const blocks = [
      {
        type: 'actions',
        elements: [{ type: 'button', action_id: 'go', text: { type: 'plain_text', text: 'Go' } }],
      },
    ];
    const { ts = '' } = await connected.app.client.chat.postMessage({
      channel: 'CINCIDENTS',
      text: 'x',
      blocks,
    });
    await own.click('dan', { channel: 'incidents', ts, actionId: 'go' });
    await own.click('dan', { channel: 'incidents', ts, actionId: 'go' });
    const send = async (index: number, body: object) => {
      const response = await fetch(urls[index] ?? '', {
        method: 'POST',
        headers: json,
        body: JSON.stringify(body),
      });
      return `${response.status} ${((await response.json()) as { error?: string }).error ?? 'ok'}`;
    };
    const json = { 'content-type': 'application/json' };
    expect(await send(0, { text: 'only you' })).toBe('200 ok');
    expect(own.ephemerals('dan')).toHaveLength(1);
    expect(await send(0, { text: 'all', response_type: 'in_channel', replace_original: false })).toBe(
      '200 ok',
    );
    expect(await send(0, { text: 'replaced', replace_original: true })).toBe('200 ok');
    expect(own.messages('incidents').map((message) => message.text)).toEqual(['replaced', 'all']);
    expect(await send(0, { delete_original: true })).toBe('200 ok');
    expect(own.messages('incidents').map((message) => message.text)).toEqual(['all']);
    expect(await send(0, { text: 'fifth' })).toBe('200 ok');
    expect(await send(0, { text: 'sixth' })).toBe('404 used_url');
    clock += 30 * 60_000 + 1;
    expect(await send(1, { text: 'late' })).toBe('404 expired_url');
  });
});

describe('rates', () => {
  test('one message a second and channel, after a small burst', async () => {
    for (const text of ['1', '2', '3', '4']) await post(text);
    const refused = await post('5').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(WebAPIRateLimitedError);
    expect((refused as WebAPIRateLimitedError).retryAfter).toBe(1);
    await client.chat.postMessage({ channel: 'UDAN000001', text: 'another channel is free' });
    clock += 1000;
    await post('5');
    expect(workspace.messages('incidents').map((message) => message.text)).toEqual(['1', '2', '3', '4', '5']);
  });

  test('each method has the budget of its tier, refilled over a minute', async () => {
    const list = () => codeOf(client.usergroups.list({}));
    const first = await Promise.all(Array.from({ length: 20 }, list));
    expect(new Set(first)).toEqual(new Set(['ok']));
    await expect(client.usergroups.list({})).rejects.toBeInstanceOf(WebAPIRateLimitedError);
    clock += 3000;
    expect(await list()).toBe('ok');
    expect(workspace.calls.at(-2)).toMatchObject({ status: 429, result: { error: 'ratelimited' } });
  });

  test('can be off', async () => {
    const free = await startWorkspace({ rates: 'off', now: () => clock });
    const own = rawClient(free);
    const calls = Array.from({ length: 12 }, () =>
      codeOf(own.chat.postMessage({ channel: 'CINCIDENTS', text: 'x' })),
    );
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['ok']));
    await free.close();
  });
});

describe('faults', () => {
  test('rate limits, server errors and refused connections have no effect on the channel', async () => {
    workspace.faults.next('chat.postMessage', { kind: 'rate_limited', retryAfter: 7 });
    workspace.faults.next('chat.postMessage', { kind: 'server_error', status: 502 });
    workspace.faults.next('*', { kind: 'refuse' });
    workspace.faults.next('chat.postMessage', { kind: 'error', error: 'token_revoked' });
    await expect(post('x')).rejects.toMatchObject({ retryAfter: 7 });
    await expect(post('x')).rejects.toBeInstanceOf(WebAPIHTTPError);
    await expect(post('x')).rejects.toBeInstanceOf(WebAPIRequestError);
    expect(await codeOf(post('x'))).toBe('token_revoked');
    expect(workspace.messages('incidents')).toEqual([]);
    expect(await codeOf(post('x'))).toBe('ok');
  });

  test('a connection reset after the effect makes a retrying client post twice', async () => {
    const retrying = new WebClient(workspace.botToken, {
      slackApiUrl: workspace.apiUrl,
      retryConfig: { retries: 1, minTimeout: 1 },
      logger: silent,
    });
    workspace.faults.next('chat.postMessage', { kind: 'reset_after_accept' });
    await retrying.chat.postMessage({ channel: 'CINCIDENTS', text: 'twice' });
    expect(workspace.messages('incidents').map((message) => message.text)).toEqual(['twice', 'twice']);
  });

  test('stay until cleared; a slow answer outlasts the client and is not waited for on close', async () => {
    workspace.faults.always('auth.test', { kind: 'server_error' });
    await expect(client.auth.test()).rejects.toThrow();
    await expect(client.auth.test()).rejects.toThrow();
    workspace.faults.clear();
    expect(await codeOf(client.auth.test())).toBe('ok');
    workspace.faults.next('auth.test', { kind: 'slow', ms: 60_000 });
    const impatient = new WebClient(workspace.botToken, {
      slackApiUrl: workspace.apiUrl,
      retryConfig: { retries: 0 },
      timeout: 50,
      logger: silent,
    });
    await expect(impatient.auth.test()).rejects.toBeInstanceOf(WebAPIRequestError);
  });
});

test('the dump holds every word that the app sent, decoded', async () => {
  await post('canary =&% ü', { blocks: [{ type: 'markdown', text: 'blockcanary+1' }] });
  const dump = workspace.dump();
  expect(dump).toContain('canary =&% ü');
  expect(dump).toContain('blockcanary+1');
  expect(JSON.stringify(workspace.calls)).not.toContain(workspace.botToken);
});

test('waitFor resolves on a change, tells of a timeout, and ends with the workspace', async () => {
  const waiting = workspace.waitFor(() => workspace.messages('incidents')[0], 5000);
  await post('there');
  expect((await waiting).text).toBe('there');
  await expect(workspace.waitFor(() => false, 5, 'a miracle')).rejects.toThrow('Nothing satisfied a miracle');
  const endless = workspace.waitFor(() => false, 60_000);
  const ended = expect(endless).rejects.toThrow('closed');
  await Promise.all([workspace.close(), workspace.close(), ended]);
});
