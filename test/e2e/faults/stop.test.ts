// SIGTERM, as at every roll-out: what is under way is finished, the process ends well, and the next one goes on.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { World } from '../../../sandbox/world.ts';
import {
  answersTo,
  buttonOf,
  cardOf,
  cardShows,
  cards,
  carriedOut,
  newToken,
  openStage,
  press,
  reportLeak,
  START_MS,
  threadSays,
  toldOnce,
} from '../stage.ts';
import { DEADLINE, on } from './kill.ts';

const PATIENCE_MS = 30_000;
/** Long enough to tell the process to stop while the request is under way. */
const HELD_MS = 1500;

let world: World;
beforeAll(async () => {
  // What is handed over must not need the sweeper.
  world = await openStage({ config: { sweepEvery: '1m' } });
  await Promise.all([world.startRole('bot'), world.startRole('worker')]);
}, START_MS);
afterAll(() => world?.close());
afterEach(async () => {
  world.cluster('prod').faults.clear();
  world.slack.faults.clear();
  for (const role of ['bot', 'worker'] as const) if (!world[role]().running) await world.startRole(role);
});
beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript('incidents'))));

describe('a worker told to stop', () => {
  it('while the quarantine is under way finishes it, and the next one proves it', async () => {
    const { faults, requests } = world.cluster('prod');
    const isKill = on('PATCH', '/api/v1/namespaces/payments/secrets/containing');
    faults.delay(HELD_MS, isKill);
    const { id, token, secret } = await reportLeak(world, 'containing');
    await vi.waitUntil(() => requests.some(isKill), DEADLINE);
    expect(carriedOut(world, 'PATCH', secret)).toEqual([]);
    expect(await world.worker().stop()).toBe(0);
    expect(carriedOut(world, 'PATCH', secret)).toHaveLength(1);
    // Known without any worker, because the old one wrote it down before it went.
    await cardShows(world, id, /Contained/, PATIENCE_MS);
    faults.clear();
    await world.startRole('worker');
    await cardShows(world, id, /Contained: refused by 2 of 2/, PATIENCE_MS);
    expect(await answersTo(world, token)).toEqual([401, 401]);
    toldOnce(world, id);
  }, 90_000);

  it('in the middle of an approved plan loses no step and does none twice', async () => {
    const { faults, requests } = world.cluster('prod');
    const { id, secret } = await reportLeak(world, 'deleting');
    await world.slack.waitFor(() => buttonOf(cardOf(world, id), 'Approve plan'), PATIENCE_MS);
    faults.delay(HELD_MS, on('DELETE', secret));
    await press(world, id, 'tomas', 'Approve plan');
    await vi.waitUntil(() => requests.some(on('DELETE', secret)), DEADLINE);
    expect(await world.worker().stop()).toBe(0);
    expect(carriedOut(world, 'DELETE', secret)).toHaveLength(1);
    await world.startRole('worker');
    await threadSays(world, id, /Closed as resolved/, PATIENCE_MS);
    await cardShows(world, id, /Revoked: refused by 2 of 2/);
    expect(requests.filter(on('DELETE', secret))).toHaveLength(1);
    toldOnce(world, id);
  }, 90_000);
});

describe('a bot told to stop', () => {
  it('while it posts a card finishes it, and the next one goes on with that card', async () => {
    world.slack.faults.next('chat.postMessage', { kind: 'slow', ms: HELD_MS });
    const { id } = await reportLeak(world, 'posting');
    await vi.waitUntil(() => world.slack.dump().includes(id), DEADLINE);
    expect(cardOf(world, id)).toBeUndefined();
    expect(await world.bot().stop()).toBe(0);
    expect(cardOf(world, id)).toBeDefined();
    await world.startRole('bot');
    await cardShows(world, id, /Contained: refused by 2 of 2/, PATIENCE_MS);
    toldOnce(world, id);
  }, 90_000);

  it('while an alert arrives takes it and answers, and takes no other', async () => {
    const { token } = await newToken(world, 'arriving');
    const before = cards(world).length;
    const { port, finish } = await beginReport(token);
    const stopped = world.bot().stop();
    await vi.waitFor(async () => {
      await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
    }, DEADLINE);
    const answer = await finish();
    expect(answer.status).toBe(202);
    expect(await stopped).toBe(0);
    await world.startRole('bot');
    await cardShows(world, answer.id, /Contained: refused by 2 of 2/, PATIENCE_MS);
    toldOnce(world, answer.id);
    expect(cards(world)).toHaveLength(before + 1);
  }, 90_000);
});

/** Sends the head of a report and waits until the bot has read it; the body is sent by `finish`. */
async function beginReport(token: string) {
  const port = world.bot().ports.http ?? 0;
  const now = new Date();
  const body = JSON.stringify({ type: 'leak.reported', timestamp: now.toISOString(), data: { token } });
  const id = `msg_${now.getTime()}`;
  const call = request({
    host: '127.0.0.1',
    port,
    path: '/hooks/report',
    method: 'POST',
    headers: {
      expect: '100-continue',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': new Webhook(world.env.TOURNIQUET_SOURCE_REPORT ?? '').sign(id, now, body),
    },
  });
  call.flushHeaders();
  await once(call, 'continue');
  const finish = async (): Promise<{ status: number; id: string }> => {
    call.end(body);
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const answer = JSON.parse(Buffer.concat(chunks).toString()) as { incidents?: { id: string }[] };
    return { status: response.statusCode ?? 0, id: answer.incidents?.[0]?.id ?? '' };
  };
  return { port, finish };
}
