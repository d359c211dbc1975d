// A scanner that reports what is known, as fast as it is answered: no job is left behind, no log grows, and the next kill does not wait.
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readerOf } from '../../../sandbox/incident-reader.ts';
import type { World } from '../../../sandbox/world.ts';
import { newToken, opened, openStage, START_MS } from '../stage.ts';

const [FINDINGS, REPEATS, SENDERS] = [20, 600, 10];

let world: World;
beforeAll(async () => {
  world = await openStage();
  await Promise.all([world.startRole('bot'), world.startRole('worker')]);
}, START_MS);
afterAll(() => world?.close());

const say = (n: number) =>
  world.report({
    cluster: 'prod',
    namespace: 'load',
    serviceAccount: `sa-${n % FINDINGS}`,
    reason: `scan ${n}`,
  });

it('repeats of known findings cost nothing that a kill would wait for', async () => {
  const reader = readerOf(world);
  const redis = new Redis(world.redis.url);
  const { prefix } = world.redis;
  const jobs = async () => {
    const kinds = ['bot', 'worker'].flatMap((role) =>
      ['wait', 'active'].map((state) => `${prefix}-${role}:${state}`),
    );
    const lengths = await Promise.all(kinds.map((key) => redis.llen(`${prefix}:${key}`)));
    return lengths.reduce((sum, length) => sum + length, 0);
  };
  try {
    const ids: string[] = [];
    for (let n = 0; n < FINDINGS; n++) ids.push(await opened(await say(n)));
    await expect.poll(jobs, { timeout: 30_000 }).toBe(0);
    // The first of each is looked at; what says the same after it is known to.
    for (let n = 0; n < FINDINGS; n++) expect((await say(n)).status).toBe(202);
    const before = await Promise.all(ids.map(async (id) => (await reader.read(id)).events.length));
    let next = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: SENDERS }, async () => {
        while (next < REPEATS) {
          expect((await say(next++)).status).toBe(202);
          most = Math.max(most, await jobs());
        }
      }),
    );
    expect(most).toBeLessThan(5);
    const after = await Promise.all(ids.map(async (id) => (await reader.read(id)).events.length));
    expect(after).toEqual(before);
    const { token } = await newToken(world, 'after');
    const id = await opened(await world.report({ token }));
    await reader.until(id, ({ runs }) => runs[0]?.steps[0]?.outcome?.verdict === 'done');
  } finally {
    redis.disconnect();
    await reader.close();
  }
}, 60_000);
