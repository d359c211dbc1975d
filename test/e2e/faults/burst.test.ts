// Sixty leaks at once and two workers: every alert ends as one incident, one quarantine and one card.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { World } from '../../../sandbox/world.ts';
import {
  answersTo,
  cardShows,
  cards,
  carriedOut,
  idOf,
  newToken,
  opened,
  openStage,
  START_MS,
  toldOnce,
} from '../stage.ts';

const COUNT = 60;
const DRAINED_MS = 90_000;

let world: World;

beforeAll(async () => {
  // Nothing is lost here, so nothing may need the sweeper, which would try a slow quarantine a second time.
  world = await openStage({ config: { sweepEvery: '1m' } });
  await Promise.all([world.startRole('bot'), world.startRole('worker'), world.startRole('worker')]);
}, START_MS);
afterAll(() => world?.close());

it('no kill waits for the plans of other leaks, however many hang on a slow cluster', async () => {
  const lift = world
    .cluster('prod')
    .faults.delay(3_600_000, ({ method, path }) => method === 'GET' && path.includes('/pods'));
  try {
    const leaks = await Promise.all(Array.from({ length: 20 }, (_, n) => newToken(world, `behind-${n}`)));
    for (const { token } of leaks) await opened(await world.report({ token, severity: 'high' }));
    // Long before the requests for Pods have failed.
    const killed = () => leaks.filter(({ secret }) => carriedOut(world, 'PATCH', secret).length > 0).length;
    await expect.poll(killed, { timeout: 8000 }).toBe(leaks.length);
  } finally {
    lift();
  }
});

it('a burst of alerts: each has one incident, one quarantine and one card, and is proven dead', async () => {
  const leaks = await Promise.all(Array.from({ length: COUNT }, (_, n) => newToken(world, `burst-${n}`)));
  const ids = await Promise.all(
    leaks.map(async ({ token }) => await opened(await world.report({ token, severity: 'high' }))),
  );
  expect(new Set(ids).size).toBe(COUNT);
  for (const [n, id] of ids.entries()) {
    await cardShows(world, id, /Contained: refused by 2 of 2/, DRAINED_MS);
    const { token = '', secret = '' } = leaks[n] ?? {};
    expect(carriedOut(world, 'PATCH', secret)).toHaveLength(1);
    expect(await answersTo(world, token)).toEqual([401, 401]);
    const said = toldOnce(world, id);
    expect(said.filter((line) => line.includes('*Contained* by policy'))).toHaveLength(1);
  }
  expect(cards(world).filter((card) => ids.includes(idOf(card)))).toHaveLength(COUNT);
}, 120_000);
