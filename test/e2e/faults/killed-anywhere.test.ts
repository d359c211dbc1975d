// kill -9 of any one of two bots and two workers at any moment of a burst: every alert has one incident and its outcome.
// A failure is repeated with KILL_SEED=<seed>, which the name of the test says.
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Read, type Reader, readerOf } from '../../../sandbox/incident-reader.ts';
import { INCIDENTS, type World } from '../../../sandbox/world.ts';
import { answersTo, cards, newToken, openStage, START_MS, toldOnce } from '../stage.ts';
import { type Crew, expectQuarantined, type ROLES, startCrew } from './crew.ts';

const MOMENTS = ['acknowledgement', 'quarantine', 'probe', 'message'] as const;
const SETTLED_MS = 240_000;
const { KILL_SEED } = process.env;
const newSeed = () => (KILL_SEED === undefined ? randomInt(2 ** 31) : Number(KILL_SEED));

let world: World;
let crew: Crew;
let reader: Reader;
let bursts = 0;

beforeAll(async () => {
  world = await openStage({ config: { sweepEvery: '5s' } });
  reader = readerOf(world);
  crew = await startCrew(world);
}, START_MS);
afterAll(async () => {
  await Promise.all([crew?.close(), reader?.close()]);
  await world?.close();
});

interface Kill {
  role: (typeof ROLES)[number];
  index: number;
  moment: (typeof MOMENTS)[number];
  /** After how many of them. */
  after: number;
}

function killOf(seed: number, role: Kill['role'], count: number): Kill {
  const kill = fc.record({
    role: fc.constant(role),
    index: fc.nat(1),
    moment: fc.constantFrom(...MOMENTS),
    after: fc.integer({ min: 1, max: Math.floor(count * 0.8) }),
  });
  const [chosen] = fc.sample(kill, { seed, numRuns: 1 });
  if (!chosen) throw new Error('unreachable');
  return chosen;
}

/** Kills in the very turn in which it happens for that time; resolves once another process has taken the place. */
async function killAt({ role, index, moment, after }: Kill): Promise<void> {
  const victim = crew.processes[role][index];
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = after;
  const happened = () => {
    left -= 1;
    if (left !== 0 || !victim) return;
    process.kill(victim.pid, 'SIGKILL');
    resolve();
  };
  const stop = watch(moment, happened);
  await promise;
  stop();
  await victim?.kill();
  await crew.replace(role, index);
}

function watch(moment: Kill['moment'], happened: () => void): () => void {
  if (moment === 'acknowledgement') {
    crew.onAcknowledged = happened;
    return () => {
      crew.onAcknowledged = undefined;
    };
  }
  if (moment === 'message') {
    let seen = world.slack.messages(INCIDENTS).length;
    return world.slack.onChange(() => {
      for (const now = world.slack.messages(INCIDENTS).length; seen < now; seen++) happened();
    });
  }
  // Never strikes: asked for every request in the turn before it is carried out.
  return world.cluster('prod').faults.delay(0, ({ method, userAgent }) => {
    if (moment === 'quarantine' ? method === 'PATCH' : userAgent === 'tourniquet-probe') happened();
    return false;
  });
}

/** Whose Secret an incident is about. */
const secretOf = ({ incident }: Read): string => incident.identity?.boundTo?.name ?? '';

it.each<[number, Kill['role'], number]>([
  [200, 'worker', newSeed()],
  [60, 'bot', newSeed()],
  [60, 'worker', newSeed()],
  [60, 'bot', newSeed()],
])(
  '%i alerts and a %s that dies, KILL_SEED=%i: one incident each, with its outcome, told once',
  async (count, role, seed) => {
    const kill = killOf(seed, role, count);
    console.log(`Seed ${seed}: the ${kill.role} ${kill.index} dies at ${kill.moment} ${kill.after}.`);
    const { leaks, asked } = await seedLeaks(count);
    const replaced = killAt(kill);
    // Every fifth alert comes twice at the same time, as from two scanners.
    await Promise.all(
      leaks.flatMap(({ token }, n) => {
        const data = { token, severity: 'high' };
        return [crew.deliver(data), ...(n % 5 === 0 ? [crew.deliver(data)] : [])];
      }),
    );
    await Promise.all(asked.map((name) => crew.deliver({ ...WHERE, secret: name })));
    await replaced;
    const read = await settled([...leaks.map(({ name }) => name), ...asked]);
    for (const { name, token, path } of leaks) {
      const mine = read.filter((one) => secretOf(one) === name);
      expect(mine, name).toHaveLength(1);
      const [{ incident } = { incident: undefined }] = mine;
      expect(incident?.runs.map(({ kind, by }) => [kind, by])).toEqual([['contain', 'policy']]);
      expect(await answersTo(world, token)).toEqual([401, 401]);
      expectQuarantined(world, path);
    }
    for (const name of asked) {
      const mine = read.filter((one) => secretOf(one) === name);
      expect(mine, name).toHaveLength(1);
      expect(mine[0]?.incident.runs).toEqual([]);
    }
    for (const { incident } of read) toldOnce(world, incident.id);
    expect(cards(world)).toHaveLength(read.length);
    expect(await crew.queued()).toBe(0);
  },
  420_000,
);

const WHERE = { cluster: 'prod', namespace: 'payments', serviceAccount: 'checkout' };

/** Most of the alerts carry their token, which is contained; some only say where it is, which a person must judge. */
async function seedLeaks(count: number) {
  const prefix = `burst-${++bursts}`;
  const asked = Math.floor(count / 10);
  const names = Array.from({ length: count }, (_, n) => `${prefix}-${n}`);
  const leaks = await Promise.all(
    names.map(async (name) => {
      const { token, secret } = await newToken(world, name);
      return { name, token, path: secret };
    }),
  );
  return { leaks: leaks.slice(asked), asked: names.slice(0, asked) };
}

/** Waits until all of these have their outcome, and people have seen it. Answers every incident there is. */
async function settled(names: string[]): Promise<Read[]> {
  const isSettled = ({ incident, shown }: Read): boolean =>
    incident.status === 'awaiting-approval' &&
    shown === incident.version &&
    (incident.runs.length === 0 || incident.proof?.outcome?.verdict === 'done');
  const read = new Map<string, Read>();
  const open = async () => {
    const queued = await crew.queued();
    // Reading two hundred logs costs those who are still at work.
    if (queued > 0) return { queued };
    const unsettled: string[] = [];
    for (const id of await reader.ids()) {
      if (read.has(id)) continue;
      const one = await reader.read(id);
      if (isSettled(one)) read.set(id, one);
      else unsettled.push(`${id} ${one.incident.status}`);
    }
    const found = new Set([...read.values()].map(secretOf));
    return { missing: names.filter((name) => !found.has(name)), unsettled, queued };
  };
  await expect
    .poll(open, { timeout: SETTLED_MS, interval: 500 })
    .toEqual({ missing: [], unsettled: [], queued: 0 });
  return [...read.values()];
}
