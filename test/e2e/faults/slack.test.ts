// Slack is away, throttles, fails or answers nobody: the kill does not wait for it, and what is shown is shown once.
import type { Fault } from 'slack-sandbox';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { World } from '../../../sandbox/world.ts';
import {
  answersTo,
  cardShows,
  cards,
  carriedOut,
  newToken,
  opened,
  openStage,
  press,
  reportLeak,
  START_MS,
  threadSays,
  toldOnce,
} from '../stage.ts';
import { DEADLINE } from './kill.ts';

const CAUGHT_UP_MS = 40_000;

let world: World;
beforeAll(async () => {
  world = await openStage();
}, START_MS);
afterAll(() => world?.close());
afterEach(() => world.slack.faults.clear());
beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript('incidents'))));

const killed = (secret: string) =>
  vi.waitFor(() => expect(carriedOut(world, 'PATCH', secret)).toHaveLength(1), DEADLINE);

/** The whole story in the thread, each part once, whatever happened on the way. */
async function caughtUp(id: string): Promise<void> {
  await cardShows(world, id, /Contained: refused by 2 of 2/, CAUGHT_UP_MS);
  await threadSays(world, id, /Proof: refused by 2 of 2/, CAUGHT_UP_MS);
  await threadSays(world, id, /plan is on the card/, CAUGHT_UP_MS);
  const said = toldOnce(world, id);
  for (const part of ['*Contained* by policy', '*Proof: ', 'plan is on the card'])
    expect(said.filter((line) => line.includes(part))).toHaveLength(1);
}

describe('Slack is away', () => {
  it('when the bot starts: alerts are taken, the leak is killed, and everything is shown when Slack answers', async () => {
    world.slack.faults.outage(true);
    await Promise.all([world.startRole('bot'), world.startRole('worker')]);
    // Ready all the same, or nobody would send it alerts.
    const health = await fetch(`http://127.0.0.1:${world.bot().ports.http}/readyz`);
    expect(health.status).toBe(200);
    const leak = await reportLeak(world, 'at-start');
    await killed(leak.secret);
    expect(await answersTo(world, leak.token)).toEqual([401, 401]);
    expect(cards(world)).toEqual([]);
    world.slack.faults.outage(false);
    await caughtUp(leak.id);
  }, 90_000);

  it('from before the alert until after the kill: the kill does not wait, and the thread is caught up once', async () => {
    const before = cards(world).length;
    world.slack.faults.outage(true);
    const leak = await reportLeak(world, 'outage');
    await killed(leak.secret);
    await vi.waitFor(async () => expect(await answersTo(world, leak.token)).toEqual([401, 401]), DEADLINE);
    expect(cards(world)).toHaveLength(before);
    world.slack.faults.outage(false);
    await caughtUp(leak.id);
    await world.slack.waitFor(() => world.slack.sockets() > 0, CAUGHT_UP_MS, 'a socket');
    await press(world, leak.id, 'tomas', 'Approve plan');
    await threadSays(world, leak.id, /Closed as resolved/, CAUGHT_UP_MS);
    toldOnce(world, leak.id);
  }, 90_000);
});

describe('Slack misbehaves while an incident is reported', () => {
  const faults: [string, Fault][] = [
    ['asks to slow down', { kind: 'rate_limited', retryAfter: 1 }],
    ['fails with HTTP 503', { kind: 'server_error' }],
    ['does what it was asked and cuts the connection', { kind: 'reset_after_accept' }],
    ['refuses the connection', { kind: 'refuse' }],
  ];
  it.each(faults)(
    'it %s, again and again: one card, and no milestone twice',
    async (_, fault) => {
      // Alternating with success, so that every kind of message meets it.
      const { faults: plan } = world.slack;
      for (const method of [
        'chat.postMessage',
        'chat.update',
        'conversations.replies',
        'conversations.history',
      ])
        plan.next(method, fault, 2);
      const { token } = await newToken(world, `fault-${fault.kind.replaceAll('_', '-')}`);
      const id = await opened(await world.report({ token }));
      await caughtUp(id);
      plan.next('chat.postMessage', fault, 2);
      plan.next('chat.update', fault, 2);
      await press(world, id, 'tomas', 'Approve plan');
      await threadSays(world, id, /Closed as resolved/, CAUGHT_UP_MS);
      await cardShows(world, id, /Revoked: /, CAUGHT_UP_MS);
      const said = toldOnce(world, id);
      for (const part of ['approved the plan', 'Done: Delete Secret', 'Closed as resolved'])
        expect(said.filter((line) => line.includes(part))).toHaveLength(1);
    },
    90_000,
  );
});
