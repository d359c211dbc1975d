// The two small things kept beside the log: deliveries that were seen, and the message that shows an incident.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SandboxRedis, startRedis } from '../../../sandbox/redis.ts';
import { createCardStore } from '../../../src/adapters/redis/card-store.ts';
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
  expect(await guard.seen('delivery')).toBe(false);
  expect(await guard.seen('delivery')).toBe(false);
  await guard.remember('delivery', 60_000);
  expect(await createReplayGuard(world).seen('delivery')).toBe(true);
  expect(await guard.seen('another')).toBe(false);
  await guard.remember('delivery', 1);
  await eventually(() => guard.seen('delivery')).toBe(false);
});

test('a card is unknown, being posted, then known; each incident has its own', async () => {
  const cards = createCardStore(world);
  expect(await cards.get('inc-1')).toBeUndefined();
  await cards.mark('inc-1', 'posting');
  expect(await cards.get('inc-1')).toBe('posting');
  await cards.put('inc-1', { channel: 'C1', ts: '1.2' });
  expect(await createCardStore(world).get('inc-1')).toEqual({ channel: 'C1', ts: '1.2' });
  expect(await cards.get('inc-2')).toBeUndefined();
});
