// Two bots and two workers: each alert, command, click and reminder happens once, also while each process is replaced in turn.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Reader, readerOf } from '../../../sandbox/incident-reader.ts';
import { newDelivery } from '../../../sandbox/senders.ts';
import { INCIDENTS, type World } from '../../../sandbox/world.ts';
import {
  answersTo,
  cardShows,
  cards,
  carriedOut,
  type Leak,
  newToken,
  openStage,
  press,
  START_MS,
  textOf,
  threadSays,
  toldOnce,
} from '../stage.ts';
import { type Crew, expectQuarantined, ROLES, startCrew } from './crew.ts';

const PATIENCE_MS = 60_000;
const DEADLINE = { timeout: PATIENCE_MS, interval: 100 };

let world: World;
let crew: Crew;
let reader: Reader;

beforeAll(async () => {
  const shortly = { approvals: 1, from: ['approvers' as const], expiry: '20s' };
  // What is handed over must not need the sweeper.
  world = await openStage({
    config: {
      sweepEvery: '1m',
      policy: { rules: [{ name: 'shortly', match: { severity: ['low'] }, do: { any: shortly } }] },
    },
  });
  reader = readerOf(world);
  crew = await startCrew(world);
  await world.slack.waitFor(() => world.slack.sockets() === 4, PATIENCE_MS, 'two sockets of each bot');
}, START_MS);
afterAll(async () => {
  await Promise.all([crew?.close(), reader?.close()]);
  await world?.close();
});
afterEach(() => world.slack.faults.clear());
beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript(INCIDENTS))));

/** Of what this person was told in private: how often these words. */
const told = (user: string, words: string): number =>
  world.slack.ephemerals(user).filter((said) => textOf(said).includes(words)).length;

async function contained(name: string): Promise<Leak> {
  const leaked = await newToken(world, name);
  const id = (await crew.deliver({ token: leaked.token, severity: 'high' })) ?? '';
  await cardShows(world, id, /Contained: refused by 2 of 2/, PATIENCE_MS);
  return { ...leaked, id };
}

/** Only one of the tries was acknowledged as new, and everything that follows from an alert was done once. */
async function handledOnce({ id, token, secret }: Leak): Promise<void> {
  await cardShows(world, id, /Contained: refused by 2 of 2/, PATIENCE_MS);
  expect(carriedOut(world, 'PATCH', secret)).toHaveLength(1);
  expect(await answersTo(world, token)).toEqual([401, 401]);
  toldOnce(world, id);
}

describe('an alert', () => {
  it('that reaches both bots at the same time is one incident', async () => {
    const leaked = await newToken(world, 'both');
    const [one, two] = [newDelivery(), newDelivery()];
    const data = { token: leaked.token, severity: 'high' };
    const answers = await Promise.all([crew.send(0, data, one), crew.send(1, data, two)]);
    const opened = answers.flatMap(({ body }) => body.incidents ?? []);
    expect(new Set(opened.map(({ id }) => id)).size).toBe(1);
    expect(opened.filter(({ created }) => created)).toHaveLength(1);
    await handledOnce({ ...leaked, id: opened[0]?.id ?? '' });
  }, 90_000);

  it('that one bot has acknowledged is known to the other when it is sent again', async () => {
    const leaked = await newToken(world, 'again');
    const data = { token: leaked.token, severity: 'high' };
    const delivery = newDelivery();
    const { body } = await crew.send(0, data, delivery);
    const id = body.incidents?.[0]?.id ?? '';
    const known = { status: 'duplicate', incidents: [{ id, created: false }] };
    expect(await crew.send(1, data, delivery)).toEqual({ status: 200, body: known });
    await handledOnce({ ...leaked, id });
    expect((await reader.read(id)).incident.alerts).toHaveLength(1);
  }, 90_000);
});

describe('what Slack delivers to both bots', () => {
  it('as a command opens one incident and is answered once', async () => {
    const names = Array.from({ length: 6 }, (_, n) => `robot-${n}`);
    for (const name of names) world.cluster('prod').seed.serviceAccount('ci', name);
    world.slack.faults.duplicateEnvelopes(names.length);
    for (const name of names)
      await world.slack.slash('maya', INCIDENTS, `/revoke-sa prod/ci/${name} left the company`);
    const ours = () =>
      cards(world).filter((card) => names.some((name) => textOf(card).includes(`ci/${name}`)));
    await world.slack.waitFor(() => ours().length >= names.length, PATIENCE_MS, 'the cards');
    await expect.poll(() => crew.queued(), DEADLINE).toBe(0);
    expect(ours()).toHaveLength(names.length);
    expect(told('maya', 'is open')).toBe(names.length);
    expect(told('maya', 'already known')).toBe(0);
  }, 90_000);

  it('as a click decides once and is answered once', async () => {
    const leaks = await Promise.all(Array.from({ length: 4 }, (_, n) => contained(`clicked-${n}`)));
    world.slack.faults.duplicateEnvelopes(leaks.length);
    for (const { id } of leaks) await press(world, id, 'tomas', 'Approve plan');
    for (const { id, secret } of leaks) {
      await threadSays(world, id, /Closed as resolved/, PATIENCE_MS);
      expect(carriedOut(world, 'DELETE', secret)).toHaveLength(1);
      expect(toldOnce(world, id).filter((said) => said.includes('approved the plan'))).toHaveLength(1);
    }
    expect(told('tomas', 'Approved.')).toBe(leaks.length);
    expect(told('tomas', 'Nothing was')).toBe(0);
  }, 120_000);
});

it('a plan that waits is reminded of once each time, in the thread and then each person alone', async () => {
  const { token } = await newToken(world, 'waiting');
  const id = (await crew.deliver({ token, severity: 'low' })) ?? '';
  const reminders = async () => {
    const { events, shown } = await reader.read(id);
    return events.flatMap((event) => (event.type === 'reminded' && event.v <= shown ? [event] : []));
  };
  await expect.poll(async () => (await reminders()).map(({ count }) => count), DEADLINE).toEqual([1, 2]);
  expect(toldOnce(world, id).filter((said) => said.includes('Waiting for approval'))).toHaveLength(2);
  for (const name of ['ines', 'tomas']) {
    const person = world.slack.people.find((one) => one.name === name)?.id ?? '';
    const alone = world.slack.messages(`D${person.slice(1)}`).map(textOf);
    expect(alone.filter((said) => said.includes('waits for you'))).toHaveLength(1);
  }
}, 120_000);

describe('while each process is replaced in turn', () => {
  /** Leaks that one after another are reported, contained, approved and closed. */
  async function work(name: string, isOver: () => boolean): Promise<{ leaks: Leak[]; missed: number }> {
    const leaks: Leak[] = [];
    let missed = 0;
    while (!isOver()) {
      const leak = await contained(`${name}-${leaks.length}`);
      leaks.push(leak);
      // A click that Slack could not deliver fails before the person's eyes, and is made again.
      while (
        !(await press(world, leak.id, 'ines', 'Approve plan').then(
          () => true,
          () => false,
        ))
      )
        missed++;
      await threadSays(world, leak.id, /Closed as resolved/, PATIENCE_MS);
    }
    return { leaks, missed };
  }

  /** Commands that are typed one after another, each once the one before it was answered. Answers how many. */
  async function type(isOver: () => boolean): Promise<number> {
    const before = world.slack.ephemerals('maya').length;
    let typed = 0;
    while (!isOver()) {
      const { status } = await world.slack.slash('maya', INCIDENTS, '/tourniquet health');
      expect(status).toBe('acked');
      typed++;
      const answered = () => world.slack.ephemerals('maya').length - before === typed;
      await world.slack.waitFor(answered, PATIENCE_MS, `one answer to each of ${typed} commands`);
    }
    return typed;
  }

  it('no alert is lost, no click goes unanswered, and nothing is done twice', async () => {
    const before = told('ines', 'Approved.');
    let over = false;
    const typing = type(() => over);
    // Awaited at the end; until then a failure of it must not end the whole run.
    typing.catch(() => undefined);
    const working = ['red', 'green', 'blue'].map((name) => work(name, () => over));
    for (const role of ROLES)
      for (const index of [0, 1]) {
        const handled = crew.acknowledged();
        await expect.poll(() => crew.acknowledged(), DEADLINE).toBeGreaterThan(handled + 1);
        const leaving = crew.processes[role][index];
        // As the chart does it: the next one first.
        await crew.replace(role, index);
        expect(await leaving?.stop()).toBe(0);
      }
    over = true;
    const done = await Promise.all(working);
    const leaks = done.flatMap((one) => one.leaks);
    for (const { id, secret, token } of leaks) {
      expectQuarantined(world, secret);
      expect(carriedOut(world, 'DELETE', secret), id).toHaveLength(1);
      expect(await answersTo(world, token)).toEqual([401, 401]);
      expect((await reader.read(id)).incident.alerts).toHaveLength(1);
      toldOnce(world, id);
    }
    const missed = done.reduce((sum, one) => sum + one.missed, 0);
    console.log(`${leaks.length} alerts and clicks and ${await typing} commands during the upgrade.`);
    expect(missed).toBe(0);
    expect(told('ines', 'Approved.') - before).toBe(leaks.length);
  }, 300_000);
});
