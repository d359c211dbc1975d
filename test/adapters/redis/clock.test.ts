// The clock that all processes share: Redis's, whatever is done to the clocks of their machines.
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type SandboxRedis, startRedis } from '../../../sandbox/redis.ts';
import { createClock } from '../../../src/adapters/redis/clock.ts';
import { openWorld } from './support.ts';

const NOON = Date.parse('2026-11-24T12:00:00Z');

/** A Redis whose clock and whose answers take what the test says, and a machine with a clock that can be set. */
function aMachine({ wall = NOON, redis = NOON }: { wall?: number; redis?: number } = {}) {
  const machine = { passed: 0, set: wall, redis, takes: 0 };
  const pass = (ms: number): void => {
    machine.passed += ms;
  };
  const time = async () => {
    pass(machine.takes / 2);
    const now = machine.redis + machine.passed;
    pass(machine.takes / 2);
    return [Math.floor(now / 1000), (now % 1000) * 1000];
  };
  const store = { run: <T>(request: (redis: Redis) => Promise<T>) => request({ time } as unknown as Redis) };
  const clock = createClock(store, {
    steady: () => machine.passed,
    wall: () => machine.set + machine.passed,
  });
  return { machine, clock, pass };
}

describe('two machines', () => {
  it('agree, however far apart their own clocks are, and each knows how far it is off', async () => {
    const [bot, worker] = [aMachine({ wall: NOON + 5 }), aMachine({ wall: NOON - 3_600_000 })];
    await Promise.all([bot.clock.ask(), worker.clock.ask()]);
    expect([bot.clock.now(), worker.clock.now()]).toEqual([NOON, NOON]);
    expect([bot.clock.aheadMs(), worker.clock.aheadMs()]).toEqual([5, -3_600_000]);
  });

  it('go by their own clocks until Redis has answered, and do not claim to know better', () => {
    const { clock } = aMachine({ wall: NOON - 7 });
    expect(clock.now()).toBe(NOON - 7);
    expect(clock.aheadMs()).toBeUndefined();
  });

  it('take the time of Redis at once, the first time that it answers', async () => {
    const { clock } = aMachine({ wall: NOON + 60_000 });
    clock.now();
    await clock.ask();
    expect(clock.now()).toBe(NOON);
  });
});

describe('a clock that is set', () => {
  it('of the machine: nobody notices', async () => {
    const { clock, machine, pass } = aMachine();
    await clock.ask();
    machine.set -= 86_400_000;
    pass(1000);
    expect(clock.now()).toBe(NOON + 1000);
    expect(clock.aheadMs()).toBe(-86_400_000);
  });

  it('of Redis, forward: it is followed at once', async () => {
    const { clock, machine } = aMachine();
    await clock.ask();
    machine.redis += 60_000;
    await clock.ask();
    expect(clock.now()).toBe(NOON + 60_000);
  });

  it('of Redis, back: time goes on at half speed until they agree', async () => {
    const { clock, machine, pass } = aMachine();
    await clock.ask();
    expect(clock.now()).toBe(NOON);
    machine.redis -= 10_000;
    await clock.ask();
    pass(4000);
    expect(clock.now()).toBe(NOON + 2000);
    pass(16_000);
    expect(clock.now()).toBe(NOON + 10_000);
    pass(1000);
    expect(clock.now()).toBe(NOON + 11_000);
  });
});

it('a slow answer does not move what fits already', async () => {
  const { clock, machine } = aMachine();
  await clock.ask();
  machine.takes = 400;
  machine.redis += 150;
  await clock.ask();
  expect(clock.now()).toBe(NOON + 400);
});

describe('a real Redis', () => {
  let redis: SandboxRedis;
  let world: ReturnType<typeof openWorld>;
  beforeAll(async () => {
    redis = await startRedis();
  });
  beforeEach(() => {
    world = openWorld(redis);
  });
  afterAll(async () => {
    await world.close();
    await redis.close();
  });

  it('is agreed with to the millisecond or so that asking takes', async () => {
    const clock = createClock(world.store, { steady: () => performance.now(), wall: () => 0 });
    await clock.ask();
    const before = performance.now();
    const shown = clock.now();
    const [seconds = 0, micros = 0] = await world.store.run((connection) => connection.time());
    const off = Number(seconds) * 1000 + Number(micros) / 1000 - shown;
    expect(off).toBeLessThan(performance.now() - before + 500);
    expect(off).toBeGreaterThan(-500);
  });
});
