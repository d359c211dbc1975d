// The rotation that `npm run demo -- --headless --story rotate` tells, and that its judge is not easily satisfied.
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LEDGER } from '../../sandbox/harbour.ts';
import { judgeRotation, podsOf, tellRotation, tokenIn } from '../../sandbox/rotation-story.ts';
import type { World } from '../../sandbox/world.ts';
import { openStage } from './stage.ts';

let world: World;
const said: string[] = [];

beforeEach(async () => {
  said.length = 0;
  for (const channel of ['log', 'error'] as const)
    vi.spyOn(console, channel).mockImplementation((line: string) => void said.push(line));
  world = await openStage({
    clusters: { prod: { servers: 2, podStartMs: 800, tokenCacheMs: 300 }, staging: {} },
  });
  await Promise.all([world.startRole('bot'), world.startRole('worker')]);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await world?.close();
});

it('ends well, shows the waves, and ends badly once a value of the new token is written somewhere', async () => {
  const old = tokenIn(world, LEDGER.secret);
  const before = podsOf(world);
  expect(before.length).toBeGreaterThan(10);
  expect(await judgeRotation(world, { before, old, waves: [] })).toBe(1);
  expect(said.at(-1)).toMatch(
    /Pods from before.*does not mount.*old token is not refused.*new token is not accepted.*waves/,
  );

  const code = await tellRotation(world);
  expect(code, said.join('\n')).toBe(0);
  const story = said.join('\n');
  expect(story).toMatch(/Wave 1 of 4.*\n.*Wave \d of 4/);
  expect(story).toMatch(/Pods from before: 0 of 18/);
  expect(story).toMatch(/old token with: 401, 401/);
  expect(story).toMatch(/new token with: 201, 201/);

  const [successor] = /ledger-token-r\d+/.exec(story) ?? [];
  const redis = new Redis(world.redis.url);
  await redis.set(`${world.redis.prefix}:canary`, tokenIn(world, successor ?? ''));
  redis.disconnect();
  const waves = ['Wave 1 of 4', 'Wave 2 of 4'];
  expect(await judgeRotation(world, { before, old, waves })).toBe(1);
  expect(said.at(-1)).toBe('\nFAILED: The value of a token was written somewhere.');
});
