// The channel as plain text for a terminal.
import { expect, test } from 'vitest';
import { startWorkspace } from '../src/workspace.ts';
import { rawClient } from './bolt.ts';

test('threads are indented, mentions named, blocks drawn', async () => {
  const workspace = await startWorkspace({ now: () => Date.UTC(2026, 0, 1, 9, 30) });
  const client = rawClient(workspace);
  const { ts = '' } = await client.chat.postMessage({
    channel: 'CINCIDENTS',
    text: 'fallback',
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: 'Token leaked' } },
      {
        type: 'section',
        text: { type: 'mrkdwn', text: 'Ask <@UINES00001> or <!subteam^SSECONCALL>, a &lt; b' },
      },
      {
        type: 'plan',
        title: 'Plan',
        tasks: [{ type: 'task_card', task_id: '1', title: 'Rotate', status: 'complete' }],
      },
      { type: 'actions', elements: [{ type: 'button', text: { type: 'plain_text', text: 'Approve' } }] },
    ],
  });
  workspace.say('dan', 'incidents', 'What about <this>, @maya?', ts);
  await client.chat.postEphemeral({
    channel: 'CINCIDENTS',
    user: 'UDAN000001',
    text: 'You may not',
    thread_ts: ts,
  });
  expect(workspace.transcript('incidents').split('\n')).toEqual([
    '#incidents',
    '',
    '@tourniquet 09:30:00',
    '  # Token leaked',
    '  Ask @ines or @sec-oncall, a < b',
    '  Plan',
    '  [x] Rotate',
    '  [Approve]',
    '    @dan 09:30:00',
    '      What about <this>, @maya?',
    '    @tourniquet 09:30:00 (only dan sees this)',
    '      You may not',
    '',
  ]);
  await workspace.close();
});
