// The two small things kept beside the log: deliveries that were seen, and the message that shows an incident.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SandboxRedis, startRedis } from '../../../sandbox/redis.ts';
import { createCardStore } from '../../../src/adapters/redis/card-store.ts';
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

test('of those who ask whether a delivery is the first, one is told yes, until it is forgotten', async () => {
  const guards = [createReplayGuard(world), createReplayGuard(world)];
  const told = await Promise.all([...guards, ...guards].map((guard) => guard.first('click', 60_000)));
  expect(told.toSorted()).toEqual([false, false, false, true]);
  expect(await guards[0]?.first('another', 1)).toBe(true);
  await eventually(() => guards[1]?.first('another', 60_000)).toBe(true);
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
