// The real Bolt app over the wire: commands, clicks, modals, events, recycled and lost sockets.
import { SocketModeClient } from '@slack/socket-mode';
import { describe, expect, test } from 'vitest';
import { BOT_ID } from '../src/state/people.ts';
import type { View } from '../src/types.ts';
import { startWorkspace, type Workspace } from '../src/workspace.ts';
import { connect, rawClient, silent, UNHURRIED } from './bolt.ts';

const plain = (text: string) => ({ type: 'plain_text' as const, text });
const modal = (title: string) => ({
  type: 'modal' as const,
  callback_id: 'ask',
  title: plain(title),
  submit: plain('Go'),
  notify_on_close: true,
  blocks: [
    {
      type: 'input' as const,
      block_id: 'reason',
      label: plain('Reason'),
      element: { type: 'plain_text_input' as const, action_id: 'text' },
    },
  ],
});
const buttons = [
  {
    type: 'actions',
    block_id: 'choice',
    elements: [
      { type: 'button', action_id: 'approve', text: plain('Approve'), value: 'plan-7' },
      { type: 'button', action_id: 'deny', text: plain('Deny'), value: 'plan-7' },
    ],
  },
];

async function openedModal(workspace: Workspace): Promise<View> {
  await workspace.slash('maya', '#incidents', '/revoke-sa');
  return await workspace.waitFor(() => workspace.views('maya')[0]);
}

describe('slash commands', () => {
  test('reach the app escaped, show the text of the ack to that person only, and open a modal', async () => {
    const seen: Record<string, string>[] = [];
    await using connected = await connect({}, (app) => {
      app.command('/revoke-sa', async ({ ack, body, client }) => {
        seen.push(body);
        await ack('Working on it');
        await client.views.open({ trigger_id: body.trigger_id, view: modal('Which token?') });
      });
    });
    const { workspace } = connected;
    const line = '/revoke-sa prod/payments/api leaked by @dan in #general a<b';
    expect(await workspace.slash('maya', '#incidents', line)).toMatchObject({ status: 'acked' });
    await workspace.waitFor(() => workspace.views('maya').length === 1);
    expect(seen[0]).toMatchObject({
      command: '/revoke-sa',
      text: 'prod/payments/api leaked by <@UDAN000001|dan> in <#CGENERAL01|general> a&lt;b',
      user_id: 'UMAYA00001',
      channel_id: 'CINCIDENTS',
      team_id: workspace.teamId,
    });
    expect(workspace.ephemerals('maya').map((message) => message.text)).toEqual(['Working on it']);
    expect(workspace.ephemerals('dan')).toEqual([]);
    expect(workspace.messages('incidents')).toEqual([]);
  });

  test('that nobody acks fail for the person after the deadline, and are not sent again', async () => {
    let count = 0;
    await using connected = await connect({ ackDeadlineMs: 80 }, (app) => {
      app.command('/revoke-sa', async () => {
        count += 1;
      });
    });
    const { workspace } = connected;
    expect((await workspace.slash('maya', 'incidents', '/revoke-sa x')).status).toBe('operation_timeout');
    expect(workspace.notices('maya').at(-1)?.text).toBe('/revoke-sa failed with the error operation_timeout');
    await expect.poll(() => count, { timeout: 5000 }).toBe(1);
    await workspace.slash('maya', 'incidents', '/nonsense');
    expect(workspace.notices('maya').at(-1)?.text).toBe('/nonsense is not a valid command.');
  });
});

describe('clicks', () => {
  test('carry the message and the element, and the app updates the message', async () => {
    const bodies: unknown[] = [];
    await using connected = await connect({}, (app) => {
      app.action({ type: 'block_actions', action_id: 'approve' }, async ({ ack, body, client, respond }) => {
        bodies.push(body);
        await ack();
        const target = { channel: body.channel?.id ?? '', ts: body.message?.ts ?? '' };
        await client.chat.update({ ...target, text: 'Approved', blocks: [] });
        await respond({ text: 'Thank you', response_type: 'ephemeral', replace_original: false });
      });
    });
    const { workspace, app } = connected;
    const posted = await app.client.chat.postMessage({
      channel: 'CINCIDENTS',
      text: 'Approve?',
      blocks: buttons,
      metadata: { event_type: 'plan', event_payload: { id: 7 } },
    });
    const ts = posted.ts ?? '';
    await workspace.click('ines', { channel: 'incidents', ts, actionId: 'approve' });
    await workspace.waitFor(() => workspace.ephemerals('ines').length === 1);
    expect(bodies[0]).toMatchObject({
      type: 'block_actions',
      user: { id: 'UINES00001', team_id: workspace.teamId },
      container: { type: 'message', message_ts: ts, channel_id: 'CINCIDENTS', is_ephemeral: false },
      message: { metadata: { event_type: 'plan', event_payload: { id: 7 } } },
      actions: [{ type: 'button', action_id: 'approve', block_id: 'choice', value: 'plan-7' }],
    });
    expect(workspace.messages('incidents')[0]).toMatchObject({ text: 'Approved', blocks: [] });
    await expect(workspace.click('ines', { channel: 'incidents', ts, actionId: 'approve' })).rejects.toThrow(
      'No element approve',
    );
    await expect(workspace.click('rolf', { channel: 'incidents', ts, actionId: 'approve' })).rejects.toThrow(
      'deactivated',
    );
  });

  test('of Slack Connect people name their own team, and forged ones arrive unchecked', async () => {
    const bodies: { user: { team_id?: string | undefined } }[] = [];
    await using connected = await connect({}, (app) => {
      app.action({ type: 'block_actions', action_id: 'approve' }, async ({ ack, body }) => {
        bodies.push(body);
        await ack();
      });
    });
    const { workspace, app } = connected;
    const { ts = '' } = await app.client.chat.postMessage({
      channel: 'CINCIDENTS',
      text: 'x',
      blocks: buttons,
    });
    await workspace.click('petra', { channel: 'incidents', ts, actionId: 'approve', value: 'plan-7' });
    expect(bodies[0]?.user.team_id).toBe('T0PARTNER1');
    const forged = {
      type: 'block_actions',
      user: { id: 'UFORGED', team_id: 'TX' },
      team: { id: workspace.teamId, domain: 'x' },
      actions: [{ type: 'button', action_id: 'approve', block_id: 'b', value: 'other', action_ts: '1.1' }],
    };
    expect((await workspace.sendInteractive(forged)).status).toBe('acked');
    expect(bodies[1]?.user.team_id).toBe('TX');
  });
});

describe('modals', () => {
  test('are checked by the client, then by the app, then close', async () => {
    const submitted: unknown[] = [];
    await using connected = await connect({}, (app) => {
      app.command('/revoke-sa', async ({ ack, body, client }) => {
        await ack();
        await client.views.open({ trigger_id: body.trigger_id, view: modal('Why?') });
      });
      app.view('ask', async ({ ack, view }) => {
        const text = view.state.values.reason?.text?.value;
        submitted.push(text);
        if (text === 'because') await ack({ response_action: 'errors', errors: { reason: 'Say more.' } });
        else await ack();
      });
    });
    const { workspace } = connected;
    const view = await openedModal(workspace);
    expect((await workspace.submit('maya', view.id, {})).status).toBe('invalid');
    expect(workspace.viewErrors('maya')).toHaveProperty('reason');
    expect(submitted).toEqual([]);

    await workspace.submit('maya', view.id, { reason: 'because' });
    expect(workspace.viewErrors('maya')).toEqual({ reason: 'Say more.' });
    expect(workspace.views('maya')).toHaveLength(1);

    await workspace.submit('maya', view.id, {
      reason: { text: { type: 'plain_text_input', value: 'it leaked' } },
    });
    expect(submitted).toEqual(['because', 'it leaked']);
    expect(workspace.views('maya')).toEqual([]);
  });

  test('are updated, pushed and cleared by acks, and closing tells the app', async () => {
    const closed: string[] = [];
    const answers = [
      { response_action: 'update' as const, view: modal('Second') },
      { response_action: 'push' as const, view: modal('On top') },
      { response_action: 'clear' as const },
    ];
    await using connected = await connect({}, (app) => {
      app.command('/revoke-sa', async ({ ack, body, client }) => {
        await ack();
        await client.views.open({ trigger_id: body.trigger_id, view: modal('First') });
      });
      app.view('ask', async ({ ack }) => {
        const answer = answers.shift();
        if (answer) await ack(answer);
      });
      app.view({ callback_id: 'ask', type: 'view_closed' }, async ({ ack, view }) => {
        closed.push(view.title.text);
        await ack();
      });
    });
    const { workspace } = connected;
    const titles = () => workspace.views('maya').map((view) => (view.title as { text: string }).text);
    const { id } = await openedModal(workspace);
    await workspace.submit('maya', id, { reason: 'a' });
    expect(titles()).toEqual(['Second']);
    await workspace.submit('maya', id, { reason: 'b' });
    expect(titles()).toEqual(['Second', 'On top']);
    await workspace.submit('maya', workspace.views('maya')[1]?.id ?? '', { reason: 'c' });
    expect(titles()).toEqual([]);
    const again = await openedModal(workspace);
    await workspace.closeView('maya', again.id);
    expect(closed).toEqual(['First']);
  });
});

test('a click in a modal carries the view and what is filled in', async () => {
  const bodies: unknown[] = [];
  const pick = {
    type: 'static_select' as const,
    action_id: 'pick',
    options: ['a', 'b'].map((value) => ({ text: plain(value), value })),
  };
  const blocks = [
    { type: 'actions' as const, block_id: 'p', elements: [pick] },
    ...modal('x').blocks.map((block) => ({
      ...block,
      element: { ...block.element, initial_value: 'typed' },
    })),
  ];
  await using connected = await connect({}, (app) => {
    app.command('/revoke-sa', async ({ ack, body, client }) => {
      await ack();
      await client.views.open({ trigger_id: body.trigger_id, view: { ...modal('Pick'), blocks } });
    });
    app.action('pick', async ({ ack, body }) => {
      bodies.push(body);
      await ack();
    });
  });
  const { workspace } = connected;
  const { id } = await openedModal(workspace);
  await workspace.click('maya', { viewId: id, actionId: 'pick', value: 'b' });
  expect(bodies[0]).toMatchObject({
    container: { type: 'view', view_id: id },
    view: { id, callback_id: 'ask', state: { values: { reason: { text: { value: 'typed' } } } } },
    actions: [{ action_id: 'pick', block_id: 'p', selected_option: { value: 'b' } }],
  });
  await expect(workspace.click('maya', { viewId: id, actionId: 'pick', value: 'c' })).rejects.toThrow(
    'the options are a, b',
  );
});

describe('events', () => {
  test('open the App Home', async () => {
    await using connected = await connect({}, (app) => {
      app.event('app_home_opened', async ({ event, client }) => {
        const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: `Hello <@${event.user}>` } }];
        await client.views.publish({ user_id: event.user, view: { type: 'home', blocks } });
      });
    });
    const { workspace } = connected;
    expect(await workspace.openHome('maya')).toBe(true);
    const home = await workspace.waitFor(() => workspace.home('maya'));
    expect(home.blocks[0]).toMatchObject({ text: { text: 'Hello <@UMAYA00001>' } });
  });

  test('that were not acked come again with the reason, and no more once acked', async () => {
    const retries: unknown[] = [];
    const eventRetriesMs = Array<number>(20).fill(0);
    await using connected = await connect({ ackDeadlineMs: 250, eventRetriesMs }, (app) => {
      app.event('subteam_members_changed', async ({ body, context }) => {
        retries.push([body.event_id, context.retryNum, context.retryReason]);
      });
    });
    const { workspace } = connected;
    workspace.faults.dropAcks(2);
    expect(await workspace.setGroupMembers('SSECONCALL', ['UINES00001'])).toBe(true);
    const id = (retries[0] as unknown[])[0];
    expect(retries.slice(0, 3)).toEqual([
      [id, 0, ''],
      [id, 1, 'timeout'],
      [id, 2, 'timeout'],
    ]);
    expect(retries.length).toBeLessThan(21);
    const groups = await connected.app.client.usergroups.users.list({ usergroup: 'SSECONCALL' });
    expect(groups.users).toEqual(['UINES00001']);
  });

  test('are given up after the last retry', async () => {
    const workspace = await startWorkspace({ eventRetriesMs: [0, 1, 1] });
    expect(await workspace.openHome('maya')).toBe(false);
    await workspace.close();
  });

  test('mention the bot, and messages elsewhere stay unheard', async () => {
    const heard: string[] = [];
    await using connected = await connect({}, (app) => {
      app.event('app_mention', async ({ event }) => {
        heard.push(event.text);
      });
    });
    const { workspace } = connected;
    workspace.say('dan', 'general', '@tourniquet unheard');
    workspace.say('dan', 'incidents', '@tourniquet help');
    await expect.poll(() => heard, { timeout: 5000 }).toEqual([`<@${BOT_ID}> help`]);
  });
});

describe('sockets', () => {
  test('of two, the recycled one gets nothing more and every command is answered', async () => {
    const workspace = await startWorkspace(UNHURRIED);
    const options = { appToken: workspace.appToken, clientPingTimeout: 1000, logger: silent };
    const clients = [0, 1].map(
      () => new SocketModeClient({ ...options, clientOptions: { slackApiUrl: workspace.apiUrl } }),
    );
    const counts = [0, 0];
    clients.forEach((client, index) => {
      client.on('slash_commands', async ({ ack }: { ack: () => Promise<void> }) => {
        counts[index] = (counts[index] ?? 0) + 1;
        await ack();
      });
    });
    await Promise.all(clients.map((client) => client.start()));
    expect(workspace.sockets()).toBe(2);
    expect(workspace.recycleSockets('refresh_requested', 1)).toBe(1);
    const run = () => Array.from({ length: 20 }, () => workspace.slash('maya', 'incidents', '/revoke-sa x'));
    const during = await Promise.all(run());
    expect(new Set(during.map((delivery) => delivery.status))).toEqual(new Set(['acked']));
    await workspace.waitFor(() => workspace.sockets() === 1);
    await workspace.waitFor(() => workspace.sockets() === 2);
    await Promise.all(run());
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(40);
    await Promise.all(clients.map((client) => client.disconnect()));
    await workspace.waitFor(() => workspace.sockets() === 0);
    await workspace.close();
  });

  test('are ten at most, and each ticket opens one', async () => {
    const workspace = await startWorkspace();
    const open = async () => {
      const answer = await rawClient(workspace, workspace.appToken).apps.connections.open();
      const url = answer.url ?? '';
      const socket = new WebSocket(url);
      const first = await new Promise<string>((resolve) => {
        socket.onmessage = (event) => resolve(String(event.data));
        socket.onerror = () => resolve('{"type":"refused"}');
      });
      return { url, type: (JSON.parse(first) as { type: string; reason?: string }).type };
    };
    const opened = [];
    for (let index = 0; index < 11; index += 1) opened.push(await open());
    expect(opened.map(({ type }) => type)).toEqual([...Array(10).fill('hello'), 'disconnect']);
    const reused = new WebSocket(opened[0]?.url ?? '');
    await new Promise((resolve) => {
      reused.onerror = resolve;
    });
    expect(reused.readyState).toBe(WebSocket.CLOSED);
    await workspace.close();
  });

  test('deliver an envelope twice when told to', async () => {
    let count = 0;
    await using connected = await connect({}, (app) => {
      app.command('/revoke-sa', async ({ ack }) => {
        count += 1;
        await ack();
      });
    });
    connected.workspace.faults.duplicateEnvelopes(1);
    await connected.workspace.slash('maya', 'incidents', '/revoke-sa x');
    await expect.poll(() => count, { timeout: 5000 }).toBe(2);
    await connected.workspace.slash('maya', 'incidents', '/revoke-sa x');
    expect(count).toBe(3);
  });

  test('are cut by an outage, during which nothing answers, and come back after it', async () => {
    await using connected = await connect({}, (app) => {
      app.command('/revoke-sa', async ({ ack }) => ack());
    });
    const { workspace } = connected;
    workspace.faults.outage(true);
    await workspace.waitFor(() => workspace.sockets() === 0);
    expect((await workspace.slash('maya', 'incidents', '/revoke-sa x')).status).toBe('dispatch_failed');
    workspace.faults.outage(false);
    await workspace.waitFor(() => workspace.sockets() === 1);
    expect((await workspace.slash('maya', 'incidents', '/revoke-sa x')).status).toBe('acked');
  });
});
