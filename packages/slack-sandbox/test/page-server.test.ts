// The protocol of the browser page, and that no other site can speak it.
import { request } from 'node:http';
import { expect, test } from 'vitest';
import { startWorkspace, type Workspace } from '../src/workspace.ts';
import { connect } from './bolt.ts';

interface PageState {
  viewer: string;
  channels: { id: string }[];
  messages: Record<string, { ts: string; text: string; ephemeral: boolean; replyCount: number }[]>;
  views: { id: string }[];
  notices: { id: number; text: string }[];
  demos: { id: string }[];
}

const json = { 'content-type': 'application/json' };

async function send(workspace: Workspace, path: string, body: object, headers: object = {}) {
  const response = await fetch(new URL(path, workspace.pageUrl), {
    method: 'POST',
    headers: { ...json, ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, ...((await response.json()) as { ok: boolean; error?: string }) };
}

/** Reads the stream of states until one satisfies the question. */
async function stateWhere(workspace: Workspace, user: string, wanted: (state: PageState) => boolean) {
  const aborter = new AbortController();
  const response = await fetch(new URL(`/page/events?user=${user}`, workspace.pageUrl), {
    signal: aborter.signal,
  });
  let buffered = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    buffered += chunk;
    const frames = buffered.split('\n\n');
    buffered = frames.pop() ?? '';
    for (const frame of frames) {
      const state = JSON.parse(frame.replace(/^data: /, '')) as PageState;
      if (!wanted(state)) continue;
      aborter.abort();
      return state;
    }
  }
  throw new Error('the stream ended before the wanted state');
}

test('a visitor sees their channels, works a command, a click and a modal, and dismisses notices', async () => {
  const plain = (text: string) => ({ type: 'plain_text' as const, text });
  await using connected = await connect({}, (app) => {
    app.command('/revoke-sa', async ({ ack, say }) => {
      await ack('Seen');
      const elements = [{ type: 'button' as const, action_id: 'ask', text: plain('Ask') }];
      await say({ text: 'card', blocks: [{ type: 'actions', block_id: 'b', elements }] });
    });
    app.action({ type: 'block_actions', action_id: 'ask' }, async ({ ack, body, client }) => {
      await ack();
      const view = { type: 'modal' as const, title: plain('Ask'), blocks: [{ type: 'divider' as const }] };
      await client.views.open({ trigger_id: body.trigger_id, view: { ...view, callback_id: 'v' } });
    });
  });
  const { workspace } = connected;
  const user = 'UDAN000001';
  const first = await stateWhere(workspace, user, () => true);
  expect(first).toMatchObject({ viewer: user, views: [], home: null });
  expect(first.channels.map((channel) => channel.id)).toEqual(['CINCIDENTS', 'CGENERAL01']);

  const slash = { user, channel: 'CINCIDENTS', text: '/revoke-sa prod/a/b' };
  expect(await send(workspace, '/page/slash', slash)).toMatchObject({ ok: true });
  const shown = await stateWhere(workspace, user, (state) => state.messages.CINCIDENTS?.length === 2);
  const card = shown.messages.CINCIDENTS?.find((message) => message.text === 'card');
  expect(shown.messages.CINCIDENTS?.find((message) => message.text === 'Seen')?.ephemeral).toBe(true);

  const container = { type: 'message', channel: 'CINCIDENTS', ts: card?.ts };
  const action = { type: 'button', action_id: 'ask', block_id: 'b' };
  expect(await send(workspace, '/page/action', { user, container, action, values: {} })).toMatchObject({
    ok: true,
  });
  const opened = await stateWhere(workspace, user, (state) => state.views.length === 1);
  const viewId = opened.views[0]?.id;
  expect(await send(workspace, '/page/close', { user, viewId })).toMatchObject({ ok: true });
  await stateWhere(workspace, user, (state) => state.views.length === 0);

  await send(workspace, '/page/message', { user, channel: 'CINCIDENTS', text: 'hm', threadTs: card?.ts });
  expect(workspace.thread('incidents', card?.ts ?? '').map((message) => message.text)).toEqual([
    'card',
    'hm',
  ]);

  await send(workspace, '/page/slash', { user, channel: 'CINCIDENTS', text: '/nothing' });
  const { notices } = await stateWhere(workspace, user, (state) => state.notices.length === 1);
  await send(workspace, '/page/dismiss', { user, notice: notices[0]?.id });
  await stateWhere(workspace, user, (state) => state.notices.length === 0);
});

test('demos run for the visitor, and errors come back as text', async () => {
  const ran: string[] = [];
  const demo = (id: string, run: (user: string) => Promise<void>) => ({
    id,
    label: id,
    description: '',
    run,
  });
  const workspace = await startWorkspace({
    demos: [
      demo('leak', async (user) => void ran.push(user)),
      demo('broken', () => Promise.reject(new Error('no cluster'))),
    ],
  });
  const user = 'UMAYA00001';
  expect(await send(workspace, '/page/demo', { user, id: 'leak' })).toMatchObject({ ok: true });
  expect(ran).toEqual([user]);
  expect(await send(workspace, '/page/demo', { user, id: 'broken' })).toMatchObject({
    ok: false,
    error: 'no cluster',
  });
  expect(await send(workspace, '/page/slash', { user: 'UX', channel: 'C', text: '/x' })).toMatchObject({
    ok: false,
  });
  expect(await send(workspace, '/page/nonsense', {})).toMatchObject({ status: 404 });
  await workspace.close();
});

test('other sites are shut out', async () => {
  const workspace = await startWorkspace();
  const body = { user: 'UMAYA00001', channel: 'CINCIDENTS', text: 'x' };
  const own = new URL(workspace.pageUrl).origin;
  expect(await send(workspace, '/page/message', body, { origin: own })).toMatchObject({ ok: true });
  for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:1'])
    expect(await send(workspace, '/page/message', body, { origin })).toMatchObject({
      status: 403,
      ok: false,
    });
  expect(await send(workspace, '/page/message', body, { 'content-type': 'text/plain' })).toMatchObject({
    status: 415,
  });
  const rebound = await new Promise<number>((resolve, reject) => {
    const headers = { host: 'evil.example' };
    request(new URL('/page/events?user=UMAYA00001', workspace.pageUrl), { headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
  expect(rebound).toBe(403);
  expect(workspace.messages('incidents')).toHaveLength(1);
  await workspace.close();
});

test('only files of the page are served', async () => {
  const workspace = await startWorkspace();
  const status = async (path: string) => (await fetch(workspace.pageUrl + path.slice(1))).status;
  expect(await Promise.all(['/', '/page/app.js', '/page/blocks/blocks.js'].map(status))).toEqual([
    200, 200, 200,
  ]);
  const others = [
    '/page/..%2fpage-server.ts',
    '/page/../page-server.ts',
    '/page/blocks/..%2f..%2f..%2fpackage.json',
    '/page/blocks%2fblocks.js',
    '/page/blocks',
    '/page/blocks/',
    '/page//app.js',
    '/page/types.d.ts',
    '/workspace.ts',
    '/page/nothing.js',
  ];
  expect(await Promise.all(others.map(status))).toEqual(others.map(() => 404));
  await workspace.close();
});
