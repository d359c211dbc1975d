// kill -9 of the bot around everything that it does in Slack: what was accepted is shown, once, by the next one.
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { World } from '../../../sandbox/world.ts';
import {
  answersTo,
  cardOf,
  cardShows,
  cards,
  carriedOut,
  type Leak,
  newToken,
  opened,
  openStage,
  press,
  repliesOf,
  reportLeak,
  START_MS,
  textOf,
  threadSays,
  toldOnce,
} from '../stage.ts';
import { DEADLINE, killBotWhen } from './kill.ts';

/** A dead bot's job and its hold on the card lapse after 10 s, and machines may be busy. */
const RESUMED_MS = 20_000;
const NEVER = { kind: 'slow', ms: 3_600_000 } as const;

let world: World;
const leaks: Record<string, Leak> = {};

const received = (words: string) => vi.waitUntil(() => world.slack.dump().includes(words), DEADLINE);
const idOfPerson = (name: string) => world.slack.people.find((person) => person.name === name)?.id ?? '';

async function contained(name: string): Promise<Leak> {
  const leak = await reportLeak(world, name);
  await cardShows(world, leak.id, /Contained: refused by 2 of 2/);
  return leak;
}

beforeAll(async () => {
  world = await openStage();
  const { faults } = world.slack;
  await Promise.all([world.startRole('bot'), world.startRole('worker')]);
  leaks.clicked = await contained('clicked');
  leaks.decided = await contained('decided');
  const { clicked, decided } = leaks;

  leaks.redelivered = await contained('redelivered');
  faults.next('users.info', NEVER);
  await press(world, leaks.redelivered.id, 'tomas', 'Approve plan');
  await received(`user=${idOfPerson('tomas')}`);
  await world.bot().kill();
  faults.clear();
  await world.startRole('bot');
  expect((await world.slack.redeliver()).status).toBe('acked');
  await threadSays(world, leaks.redelivered.id, /approved the plan/, RESUMED_MS);

  faults.next('users.info', NEVER);
  await press(world, clicked.id, 'ines', 'Approve plan');
  await received(`user=${idOfPerson('ines')}`);
  // The post never arrives at the channel.
  faults.next('chat.postMessage', NEVER);
  leaks.accepted = await reportLeak(world, 'accepted');
  await received(leaks.accepted.id);
  await world.bot().kill();
  faults.clear();

  await world.startRole('bot');
  const token = await newToken(world, 'posted');
  const before = cards(world).length;
  await killBotWhen(
    world,
    () => cards(world).length > before,
    async () => {
      leaks.posted = { ...token, id: await opened(await world.report({ token: token.token })) };
    },
  );

  await world.startRole('bot');
  const told = () => {
    const card = leaks.told && cardOf(world, leaks.told.id);
    return card !== undefined && repliesOf(world, card).length > 0;
  };
  await killBotWhen(world, told, async () => {
    leaks.told = await reportLeak(world, 'told');
  });

  await world.startRole('bot');
  const approvals = () =>
    world.slack.ephemerals('tomas').filter((said) => textOf(said).includes('Approved.')).length;
  const earlier = approvals();
  const answered = () => approvals() > earlier;
  await killBotWhen(world, answered, () => press(world, decided.id, 'tomas', 'Approve plan'));
  await world.startRole('bot');
}, START_MS);

afterAll(() => world?.close());
beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript('incidents'))));

describe('a bot killed', () => {
  it.each([
    ['between its answer to the webhook and the card', 'accepted'],
    ['after Slack posted the card, before it knew where', 'posted'],
    ['after Slack posted a milestone, before it knew so', 'told'],
  ])(
    '%s: there is one card, caught up, and nothing twice',
    async (_, name) => {
      const { id, token } = leaks[name] as Leak;
      await cardShows(world, id, /Contained: refused by 2 of 2/, RESUMED_MS);
      await threadSays(world, id, /Proof: refused by 2 of 2/, RESUMED_MS);
      expect(toldOnce(world, id).filter((said) => said.includes('*Contained* by policy'))).toHaveLength(1);
      expect(await answersTo(world, token)).toEqual([401, 401]);
    },
    60_000,
  );

  it('after it acknowledged a click, before it did anything: nothing happened, and the click can be made again', async () => {
    const { id, secret } = leaks.clicked as Leak;
    expect(carriedOut(world, 'DELETE', secret)).toEqual([]);
    await press(world, id, 'ines', 'Approve plan');
    await threadSays(world, id, /Closed as resolved/, RESUMED_MS);
    expect(carriedOut(world, 'DELETE', secret)).toHaveLength(1);
    expect(toldOnce(world, id).filter((said) => said.includes('approved the plan'))).toHaveLength(1);
  }, 60_000);

  it('over a click that Slack then delivers once more: it is decided by that, once, and answered', async () => {
    const { id, secret } = leaks.redelivered as Leak;
    await threadSays(world, id, /Closed as resolved/, RESUMED_MS);
    expect(carriedOut(world, 'DELETE', secret)).toHaveLength(1);
    expect(toldOnce(world, id).filter((said) => said.includes('approved the plan'))).toHaveLength(1);
  }, 60_000);

  it('after it recorded a decision, before anything was shown: the plan runs, once', async () => {
    const { id, secret } = leaks.decided as Leak;
    await threadSays(world, id, /Closed as resolved/, RESUMED_MS);
    await cardShows(world, id, /Revoked: /);
    expect(carriedOut(world, 'DELETE', secret)).toHaveLength(1);
    expect(toldOnce(world, id).filter((said) => said.includes('approved the plan'))).toHaveLength(1);
  }, 60_000);
});
