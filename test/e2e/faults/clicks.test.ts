// Clicks that come twice, at once, or while Slack recycles its sockets: each decides once, and none is lost.
import type { Message } from 'slack-sandbox';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { INCIDENTS, type World } from '../../../sandbox/world.ts';
import {
  buttonOf,
  cardOf,
  cardShows,
  carriedOut,
  type Leak,
  openStage,
  press,
  reportLeak,
  START_MS,
  textOf,
  threadSays,
  toldOnce,
} from '../stage.ts';

const PATIENCE_MS = 20_000;

let world: World;
beforeAll(async () => {
  world = await openStage();
  await Promise.all([world.startRole('bot'), world.startRole('worker')]);
}, START_MS);
afterAll(() => world?.close());
afterEach(() => world.slack.faults.clear());
beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript('incidents'))));

async function contained(name: string): Promise<Leak & { card: Message }> {
  const leak = await reportLeak(world, name);
  await cardShows(world, leak.id, /Contained: refused by 2 of 2/);
  const card = await world.slack.waitFor(() => {
    const found = cardOf(world, leak.id);
    return buttonOf(found, 'Approve plan') && found;
  }, PATIENCE_MS);
  return { ...leak, card };
}

/** Presses a button as it stood on the card when it was seen. */
async function pressSeen(card: Message, user: string, label: string): Promise<string> {
  const button = buttonOf(card, label);
  if (!button) throw new Error(`The card has no button "${label}".`);
  const target = { channel: INCIDENTS, ts: card.ts, actionId: button.action_id, value: button.value };
  return (await world.slack.click(user, target)).status;
}

const answers = (user: string, words: string): number =>
  world.slack.ephemerals(user).filter((said) => textOf(said).includes(words)).length;

async function decidedOnce({ id, secret }: Leak): Promise<void> {
  await threadSays(world, id, /Closed as resolved/, PATIENCE_MS);
  expect(carriedOut(world, 'DELETE', secret)).toHaveLength(1);
  expect(toldOnce(world, id).filter((said) => said.includes('approved the plan'))).toHaveLength(1);
}

describe('a click', () => {
  it('that Slack delivers twice decides once and is answered once', async () => {
    const leak = await contained('doubled');
    world.slack.faults.duplicateEnvelopes(1);
    await press(world, leak.id, 'tomas', 'Approve plan');
    await decidedOnce(leak);
    expect(answers('tomas', 'Approved.')).toBe(1);
    expect(answers('tomas', 'Nothing was')).toBe(0);
  });

  it('whose acknowledgement is lost counts all the same', async () => {
    const leak = await contained('unacknowledged');
    const before = answers('ines', 'Approved.');
    world.slack.faults.dropAcks(1);
    expect(await pressSeen(leak.card, 'ines', 'Approve plan')).toBe('operation_timeout');
    await decidedOnce(leak);
    expect(answers('ines', 'Approved.')).toBe(before + 1);
  });

  it('made twice by one person, and by another in the same moment, decides once; the others are told so', async () => {
    const leak = await contained('raced');
    const before = ['tomas', 'ines'].map((user) => answers(user, 'Approved.'));
    const { card } = leak;
    const clicks = ['tomas', 'tomas', 'ines'].map((user) => pressSeen(card, user, 'Approve plan'));
    expect(await Promise.all(clicks)).toEqual(['acked', 'acked', 'acked']);
    await decidedOnce(leak);
    const told = () => ['tomas', 'ines'].reduce((sum, user) => sum + answers(user, 'Nothing was'), 0);
    await world.slack.waitFor(() => told() === 2, PATIENCE_MS, 'two people to be told that it was decided');
    const approved = ['tomas', 'ines'].map((user, n) => answers(user, 'Approved.') - (before[n] ?? 0));
    expect(approved.reduce((sum, n) => sum + n, 0)).toBe(1);
  });

  it('is never lost while Slack recycles one socket after the other', async () => {
    const leaks: Awaited<ReturnType<typeof contained>>[] = [];
    for (let n = 0; n < 3; n++) leaks.push(await contained(`recycled-${n}`));
    const opened = () =>
      world.slack.calls.filter(({ method, status }) => method === 'apps.connections.open' && status === 200)
        .length;
    let sockets = opened();
    for (const { card } of leaks) {
      // The one that was recycled before has been replaced, and is gone.
      await world.slack.waitFor(
        () => opened() === sockets && world.slack.sockets() === 2,
        PATIENCE_MS,
        'both sockets',
      );
      sockets += 1;
      expect(world.slack.recycleSockets('refresh_requested', 1)).toBe(1);
      expect(await pressSeen(card, 'tomas', 'Approve plan')).toBe('acked');
    }
    for (const leak of leaks) await decidedOnce(leak);
  }, 60_000);

  it('made while Slack has cut every socket fails before the person’s eyes, and works when pressed again', async () => {
    const leak = await contained('cut');
    world.slack.faults.outage(true);
    expect(await pressSeen(leak.card, 'ines', 'Approve plan')).toBe('dispatch_failed');
    await world.slack.waitFor(() => world.slack.sockets() === 0, PATIENCE_MS, 'the end of the old sockets');
    world.slack.faults.outage(false);
    await world.slack.waitFor(() => world.slack.sockets() > 0, PATIENCE_MS, 'a socket');
    expect(await pressSeen(leak.card, 'ines', 'Approve plan')).toBe('acked');
    await decidedOnce(leak);
  }, 60_000);
});
