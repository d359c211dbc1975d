// The daily anchor in the channel: one message, with the hash that is to be noted, and what is wrong comes first.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { slackPublisher } from '../../../../src/adapters/slack/delivery/ledger-publisher.ts';
import type { Anchor, LogHead } from '../../../../src/domain/afterwards/ledger.ts';
import type { Chained } from '../../../../src/engine/ground/ledger.ts';
import { CHANNEL, startWorld, type World } from '../world.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld({ bolt: false });
});
afterEach(() => world.close());

const at = '2026-11-24T03:00:00.000Z';
const mac = (v: number): string => String(v).repeat(64).slice(0, 64);
const anchor = (v: number, why: Anchor['why'], heads: LogHead[], lost?: string[]): Chained => ({
  mac: mac(v),
  entry: { v, at, type: 'anchor', why, heads, ...(lost && { lost }) },
});
const posted = () => world.workspace.messages(CHANNEL).map(({ text }) => text);
const publish = (...entries: Chained[]) =>
  slackPublisher({ client: world.client, channel: CHANNEL }).publish(entries);

it('is one message, for the latest day, and none at the end of an incident', async () => {
  await publish(anchor(1, 'closed', [['a', 3, 'h']]));
  expect(posted()).toEqual([]);
  const stub = { type: 'purged', incident: 'z', entries: 1, head: 'h', openedAt: at, closedAt: at } as const;
  await publish(
    anchor(2, 'daily', [['a', 3, 'h']]),
    { mac: mac(3), entry: { ...stub, v: 3, at, as: 'resolved', by: 'b' } },
    anchor(4, 'closed', [['b', 2, 'h']]),
    anchor(5, 'daily', [['b', 3, 'i']]),
  );
  expect(posted()).toEqual([expect.stringContaining(`Audit anchor 5: \`${mac(5)}\``)]);
  expect(posted()[0]).toContain('2 incidents changed and 1 old one was purged');
  expect(posted()[0]).toContain(`tourniquet audit verify --all --anchor ${mac(5).slice(0, 16)}`);
});

it('begins with what is gone', async () => {
  await publish(anchor(1, 'daily', [], ['0a1b', '2c3d']));
  expect(posted()).toEqual([
    expect.stringMatching(/^\*The log of 2 incidents was removed or cut off:\* `0a1b`, `2c3d`/),
  ]);
});

it('that Slack refuses is an error that says what to do', async () => {
  world.workspace.faults.next('chat.postMessage', { kind: 'error', error: 'not_in_channel' });
  await expect(publish(anchor(1, 'daily', []))).rejects.toMatchObject({
    code: 'slack-unavailable',
    retry: true,
    message: expect.stringContaining('Invite the app'),
  });
});
