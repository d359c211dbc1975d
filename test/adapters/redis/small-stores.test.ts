// The two small things kept beside the log: deliveries that were seen, and the message that shows an incident.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SandboxRedis, startRedis } from '../../../sandbox/redis.ts';
import { createCardStore } from '../../../src/adapters/redis/card-store.ts';
import { keySpace } from '../../../src/adapters/redis/key-space.ts';
import { createLocks } from '../../../src/adapters/redis/locks.ts';
import { createPauseSwitch } from '../../../src/adapters/redis/pause-switch.ts';
import { createReplayGuard } from '../../../src/adapters/redis/replay-guard.ts';
import { eventually, openWorld } from './support.ts';

let redis: SandboxRedis;
let world: ReturnType<typeof openWorld>;

beforeAll(async () => {
  redis = await startRedis();
  world = openWorld(redis);
});

afterAll(async () => {
  await world.close();
  await redis.close();
});

test('the replay guard: unseen until it is remembered, and again once that has expired', async () => {
  const guard = createReplayGuard(world);
  expect(await guard.seen('delivery')).toBeUndefined();
  expect(await guard.seen('delivery')).toBeUndefined();
  await guard.remember('delivery', 'inc-1 inc-2', 60_000);
  expect(await createReplayGuard(world).seen('delivery')).toBe('inc-1 inc-2');
  expect(await guard.seen('another')).toBeUndefined();
  await guard.remember('nothing', '', 60_000);
  expect(await guard.seen('nothing')).toBe('');
  await guard.remember('delivery', '', 1);
  await eventually(() => guard.seen('delivery')).toBeUndefined();
});

test('of those who begin a delivery at once one has it in hand, and it is handled once that one has done it', async () => {
  const guards = [createReplayGuard(world), createReplayGuard(world)];
  const begun = await Promise.all([...guards, ...guards].map((guard) => guard.begin('click', 60_000)));
  const mine = begun.filter((one) => typeof one !== 'string');
  expect(begun.filter((one) => one === 'under-way')).toHaveLength(3);
  expect(mine).toHaveLength(1);
  await mine[0]?.done(60_000);
  expect(await guards[1]?.begin('click', 60_000)).toBe('handled');
});

test('a living process keeps a delivery for as long as it takes; what a dead one had in hand is begun again', async () => {
  const [living, dying] = [openWorld(redis), openWorld(redis)];
  const mine = await createReplayGuard(living).begin('kept', 1500);
  await createReplayGuard(dying).begin('dropped', 1500);
  // It renews nothing any more.
  await dying.close();
  const heir = createReplayGuard(world);
  await eventually(async () => typeof (await heir.begin('dropped', 60_000))).toBe('object');
  expect(await heir.begin('kept', 60_000)).toBe('under-way');
  if (typeof mine === 'string') throw new Error(mine);
  await mine.done(1);
  await eventually(async () => typeof (await heir.begin('kept', 60_000))).toBe('object');
  await living.close();
});

test('a card is unknown, being posted, then known; each incident has its own', async () => {
  const cards = createCardStore(world);
  expect(await cards.get('inc-1')).toBeUndefined();
  await cards.mark('inc-1', 'posting');
  expect(await cards.get('inc-1')).toBe('posting');
  await cards.put('inc-1', { channel: 'C1', ts: '1.2' });
  expect(await createCardStore(world).get('inc-1')).toEqual({ channel: 'C1', ts: '1.2' });
  await cards.put('inc-1', { channel: 'C1', ts: '1.2', telling: 4 });
  expect(await cards.get('inc-1')).toEqual({ channel: 'C1', ts: '1.2', telling: 4 });
  expect(await cards.get('inc-2')).toBeUndefined();
});

describe('bursts', () => {
  const limits = { cards: 2, within: 1000 };
  const T = 1_795_530_473_000;
  const placing = async (name: string, times: number[]) => {
    const cards = createCardStore({ store: world.store, prefix: `${world.prefix}-${name}` });
    const placed: (string | undefined)[] = [];
    for (const [index, at] of times.entries())
      placed.push(await cards.place(`${name}-${index}`, T + at, limits));
    return { cards, placed };
  };

  test('a few at a time are none, and the same answer comes back', async () => {
    const { cards, placed } = await placing('calm', [0, 10, 2000, 2010, 9000]);
    expect(placed).toEqual([undefined, undefined, undefined, undefined, undefined]);
    expect(await cards.place('calm-0', T, limits)).toBeUndefined();
  });

  test('one too many begins one, those just before belong to it, and it lasts as long as more come', async () => {
    const { cards, placed } = await placing('many', [0, 10, 20, 900, 1800, 2700, 9000]);
    expect(placed).toEqual([undefined, undefined, 'many-2', 'many-2', 'many-2', 'many-2', undefined]);
    const members = [0, 1, 2, 3, 4, 5].map((n) => `many-${n}`);
    expect(await cards.members('many-2')).toEqual(members);
    expect(await cards.place('many-0', T, limits)).toBe('many-2');
    expect(await cards.burstOf('many-1')).toBe('many-2');
    expect(await cards.burstOf('many-6')).toBeUndefined();
  });

  test('two processes at once agree', async () => {
    const stores = [1, 2].map(() => createCardStore({ store: world.store, prefix: `${world.prefix}-race` }));
    const ids = Array.from({ length: 40 }, (_, n) => `race-${n}`);
    const both = await Promise.all(
      stores.map((cards) => Promise.all(ids.map((id, n) => cards.place(id, T + n, limits)))),
    );
    const bursts = new Set(both.flat().filter((burst) => burst !== undefined));
    expect(bursts.size).toBe(1);
    expect(await stores[0]?.members([...bursts][0] ?? '')).toEqual(ids);
  });

  test('a hundred are enough for one summary', async () => {
    const { cards, placed } = await placing(
      'flood',
      Array.from({ length: 350 }, (_, n) => n),
    );
    const bursts = [...new Set(placed.filter((burst) => burst !== undefined))];
    const sizes = await Promise.all(bursts.map(async (burst) => (await cards.members(burst)).length));
    expect(sizes).toEqual([100, 100, 100, 50]);
  });
});

test('the kill switch: off until it is pressed, the same for everybody, off again when released', async () => {
  const pause = { by: 'UMAYA00001', reason: 'flooded', at: new Date(world.clock.at).toISOString() };
  const one = createPauseSwitch(world);
  expect(await one.read()).toBeUndefined();
  await one.write(pause);
  expect(await createPauseSwitch(world).read()).toEqual(pause);
  await one.write(undefined);
  expect(await one.read()).toBeUndefined();
});

test('a kill switch that somebody else wrote counts as pressed', async () => {
  const one = createPauseSwitch(world);
  await one.write({ by: 'UMAYA00001', reason: 'flooded', at: new Date(world.clock.at).toISOString() });
  for (const forged of ['null', 'x', `${'0'.repeat(64)} null`, '']) {
    await world.store.run((redis) => redis.set(world.space.pause, forged));
    expect((await one.read())?.reason).toMatch(/changed by something else/);
  }
});

describe('a lock', () => {
  const LONGEST_MS = 300;

  test('is held for as long as its holder lives, and lets nobody else in', async () => {
    const [one, two] = [createLocks(world), createLocks(world)];
    const held = await one.take('run:inc-1', LONGEST_MS);
    const until = performance.now() + 3 * LONGEST_MS;
    // Renewed on the way: it is asked for as long as three of its lives.
    while (performance.now() < until) {
      expect(await two.take('run:inc-1', LONGEST_MS)).toBeUndefined();
      expect(held?.held()).toBe(true);
    }
    await held?.release();
    const next = await two.take('run:inc-1', LONGEST_MS);
    expect(next?.held()).toBe(true);
    await next?.release();
  });

  test('is not believed to be held once somebody else has it', async () => {
    const locks = createLocks(world);
    const held = await locks.take('run:inc-2', LONGEST_MS);
    expect(held?.held()).toBe(true);
    // As it is where it lapsed while its holder slept.
    await world.store.run((client) => client.set(keySpace(world.prefix).lock('run:inc-2'), 'somebody else'));
    await eventually(async () => held?.held()).toBe(false);
    await held?.release();
    expect(await locks.take('run:inc-2', LONGEST_MS)).toBeUndefined();
  });
});
