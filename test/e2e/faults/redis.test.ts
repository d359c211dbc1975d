// Redis dies and comes back: what was acknowledged is kept, what was not says so, and no process needs a restart.
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type OwnRedis, startOwnRedis } from '../../../sandbox/redis.ts';
import type { World } from '../../../sandbox/world.ts';
import {
  answersTo,
  cardShows,
  carriedOut,
  newToken,
  openStage,
  START_MS,
  threadSays,
  toldOnce,
} from '../stage.ts';
import { DEADLINE } from './kill.ts';

const RECOVERED_MS = 45_000;

let redis: OwnRedis;
let world: World;

beforeAll(async () => {
  redis = await startOwnRedis();
  world = await openStage({ redis: async () => redis });
}, START_MS);
afterAll(() => world?.close());
beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript('incidents'))));

const ready = async (role: 'bot' | 'worker'): Promise<{ status: number; text: string }> => {
  const { http, health } = world[role]().ports;
  const response = await fetch(`http://127.0.0.1:${http ?? health}/readyz`);
  return { status: response.status, text: await response.text() };
};

interface Sent {
  token: string;
  secret: string;
  status: number;
  id: string | undefined;
}

async function send({ token, secret }: { token: string; secret: string }): Promise<Sent> {
  const response = await world.report({ token });
  const body = (await response.json()) as { incidents?: { id: string }[] };
  return { token, secret, status: response.status, id: body.incidents?.[0]?.id };
}

describe('without Redis', () => {
  it('both roles start, say what is missing, refuse alerts, and work as soon as it is there', async () => {
    await redis.kill();
    await Promise.all([world.startRole('bot'), world.startRole('worker')]);
    for (const role of ['bot', 'worker'] as const)
      expect(await ready(role)).toMatchObject({
        status: 503,
        text: expect.stringContaining('Redis does not answer'),
      });
    const leak = await newToken(world, 'early');
    const refused = await world.report({ token: leak.token });
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.text()).toContain('Send the alert again');

    await redis.restart();
    await vi.waitFor(async () => expect(await ready('bot')).toMatchObject({ status: 200 }), DEADLINE);
    await vi.waitFor(async () => expect(await ready('worker')).toMatchObject({ status: 200 }), DEADLINE);
    const { status, id = '' } = await send(leak);
    expect(status).toBe(202);
    await cardShows(world, id, /Contained: refused by 2 of 2/, RECOVERED_MS);
  }, 90_000);
});

describe('Redis killed while alerts come', () => {
  it('keeps every alert that was acknowledged, and those that were not can be sent again', async () => {
    const [bot, worker] = [world.bot(), world.worker()];
    const leaks = await Promise.all(Array.from({ length: 24 }, (_, n) => newToken(world, `storm-${n}`)));
    const sent: Sent[] = [];
    let killed: Promise<void> | undefined;
    // One after another from each of three scanners, so that some are under way whenever it dies.
    const scanner = async (mine: typeof leaks) => {
      for (const leak of mine) {
        sent.push(await send(leak));
        if (sent.length >= 9) killed ??= redis.kill();
      }
    };
    await Promise.all([0, 8, 16].map((from) => scanner(leaks.slice(from, from + 8))));
    await killed;
    const acknowledged = sent.filter(({ status }) => status === 202);
    const refused = sent.filter(({ status }) => status === 503);
    expect(acknowledged.length + refused.length).toBe(24);
    expect(acknowledged.length).toBeGreaterThanOrEqual(9);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.filter(({ id }) => id !== undefined)).toEqual([]);

    await redis.restart();
    await vi.waitFor(async () => expect(await ready('bot')).toMatchObject({ status: 200 }), DEADLINE);
    const again = await Promise.all(refused.map(send));
    expect(again.filter(({ status }) => status !== 202)).toEqual([]);
    const all = [...acknowledged, ...again];
    expect(new Set(all.map(({ id }) => id)).size).toBe(24);
    for (const { id = '', token, secret } of all) {
      await cardShows(world, id, /Contained: refused by 2 of 2/, RECOVERED_MS);
      await threadSays(world, id, /Proof: refused by 2 of 2/, RECOVERED_MS);
      expect(await answersTo(world, token)).toEqual([401, 401]);
      expect(carriedOut(world, 'PATCH', secret).length).toBeGreaterThanOrEqual(1);
      toldOnce(world, id);
    }
    expect([bot.running, worker.running]).toEqual([true, true]);
    expect(world.bot()).toBe(bot);
    expect(world.worker()).toBe(worker);
  }, 120_000);
});
