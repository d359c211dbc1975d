// Every way out of a process is a door: whatever somebody hands to an adapter, no token is in what it writes or sends.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SandboxRedis, startRedis } from '../../sandbox/redis.ts';
import { dumpRedis, needles } from '../../sandbox/traces.ts';
import { createDesk, startClerk } from '../../src/adapters/bullmq/desk.ts';
import { createJobQueue } from '../../src/adapters/bullmq/queue.ts';
import { startWorker } from '../../src/adapters/bullmq/worker.ts';
import { startHealth } from '../../src/adapters/http/health.ts';
import { startHttp } from '../../src/adapters/http/intake.ts';
import { openWebhook } from '../../src/adapters/http/outgoing-webhook.ts';
import { createTracing } from '../../src/adapters/otlp/exporter.ts';
import { createPauseSwitch } from '../../src/adapters/redis/pause-switch.ts';
import { createReplayGuard } from '../../src/adapters/redis/replay-guard.ts';
import type { EventBody } from '../../src/domain/incident/events.ts';
import { AppError } from '../../src/errors.ts';
import { Secret } from '../../src/secret.ts';
import { base64, legacyToken } from '../domain/token/token-samples.ts';
import { startReceiver } from '../receiver.ts';
import { eventually, openWorld } from './redis/support.ts';

const token = legacyToken();
/** As people, alerts and clusters may hand it over. */
const WAYS = [token, base64(token), token.replaceAll('.', '%2E'), token.replace('.', '\x1b[1m.\x1b[0m')];
const said = WAYS.join(' ; ');
const deep = { [`key ${token}`]: [{ text: said }, said] };

let redis: SandboxRedis;
let world: ReturnType<typeof openWorld>;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  redis = await startRedis();
  world = openWorld(redis);
});
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
  await world.close();
  await redis.close();
});

function expectClean(text: string): void {
  expect(text).toContain('[token removed]');
  for (const way of WAYS)
    for (const needle of needles(way)) expect(text.includes(needle), `${needle.slice(0, 12)}…`).toBe(false);
}

const redisHolds = (): Promise<string> => dumpRedis({ redis });

it('the incident log, whose chain holds over what was written', async () => {
  const events = [
    { type: 'trouble', work: 'investigate', message: said },
    { type: 'paused', pause: { by: 'UINES', reason: said, at: '2026-11-30T03:00:00Z' } },
    { type: 'step-remembered', run: 'r', step: 's', memory: deep },
  ] as unknown as EventBody[];
  const result = await world.log.append({ id: 'inc-door', expected: 0, events, head: '' });
  if (result.kind !== 'appended') throw new Error(`not appended: ${result.kind}`);
  expectClean(JSON.stringify(result.events));
  expect(await world.log.load('inc-door')).toMatchObject({ events: result.events, head: result.head });
  expectClean(await redisHolds());
});

it('the pause switch, which can be read again', async () => {
  const pause = createPauseSwitch(world);
  await pause.write({ by: 'UINES', reason: `because of ${token}`, at: '2026-11-30T03:00:00Z' });
  expect(await pause.read()).toMatchObject({ reason: 'because of [token removed]' });
  expectClean(await redisHolds());
});

it('the name of a delivery, which stays another than the next', async () => {
  const guard = createReplayGuard(world);
  await guard.remember(`report:${token}`, 'first', 60_000);
  await guard.remember(`report:${legacyToken()}`, 'second', 60_000);
  expect(await guard.seen(`report:${token}`)).toBe('first');
  const begun = await guard.begin(`slack:${token}`, 60_000);
  if (typeof begun !== 'object') throw new Error('not begun');
  await begun.done(60_000);
  expect(await guard.begin(`slack:${token}`, 60_000)).toBe('handled');
  const held = await redisHolds();
  for (const needle of needles(token)) expect(held).not.toContain(needle);
});

it('the note of a delivery', async () => {
  await createReplayGuard(world).remember('delivery-1', said, 60_000);
  expectClean((await createReplayGuard(world).seen('delivery-1')) ?? '');
  expectClean(await redisHolds());
});

it('questions to the worker, and its answers', async () => {
  const options = {
    connections: world.store,
    prefix: `${redis.prefix}-desk`,
    clock: { now: Date.now },
    log: quiet,
  };
  const desk = createDesk(options);
  const clerk = startClerk(async ({ ask }) => {
    if (ask === 'list-namespaces') throw new AppError('forbidden', said);
    return { found: [said], near: [], problems: [said] };
  }, options);
  closing.push(
    () => desk.close(),
    () => clerk.close(),
  );
  const answer = await desk.ask({ ask: 'find-service-account', namespace: said, name: said }, 15_000);
  expectClean(JSON.stringify(answer));
  expectClean(JSON.stringify(await desk.ask({ ask: 'list-namespaces', cluster: said }, 15_000)));
  expectClean(await redisHolds());
});

it('what becomes of a job that failed', async () => {
  const options = {
    connections: world.store,
    prefix: `${redis.prefix}-jobs`,
    clock: { now: Date.now },
    log: quiet,
  };
  const queue = createJobQueue(options);
  let failed = false;
  const worker = startWorker(
    'worker',
    async () => {
      throw new Error(`the cluster said ${said}`);
    },
    { ...options, concurrency: 1, ran: (_, result) => (failed = result === 'failed') },
  );
  closing.push(
    () => queue.close(),
    () => worker.close(0),
  );
  await queue.add([{ id: 'job-1', kind: 'investigate', incidentId: 'inc-1', at: 0 }]);
  await eventually(() => failed).toBe(true);
  await eventually(async () => (await redisHolds()).includes('the cluster said')).toBe(true);
  expectClean(await redisHolds());
});

it('traces', async () => {
  const bodies: string[] = [];
  const collector = createServer(async (request, response) => {
    for await (const chunk of request) bodies.push(String(chunk));
    response.end('{}');
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  closing.push(async () => collector.close());
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const tracing = createTracing({ endpoint, role: 'bot', version: said, log: quiet });
  tracing.witness.shown({ id: 'inc-1', reporter: said, version: 1, at: '', from: 0, until: 1 });
  await tracing.flush();
  expectClean(bodies.join(''));
});

it('calls to people outside Slack', async () => {
  const receiver = await startReceiver();
  const webhook = openWebhook({ ...receiver, timeout: 5000, clock: { now: Date.now } });
  closing.push(receiver.close, webhook.close);
  await webhook.send({ id: 'm-1', type: 'incident.escalated', data: deep });
  expectClean(receiver.deliveries.map(({ raw }) => raw).join(''));
});

it('health and metrics', async () => {
  const server = await startHealth({
    host: '127.0.0.1',
    port: 0,
    alive: async () => [said],
    ready: async () => [said],
    detail: () => deep,
    metrics: { contentType: 'text/plain', text: async () => `a{b="${said}"} 1\n` },
  });
  closing.push(server.close);
  for (const path of ['/healthz', '/readyz', '/metrics'])
    expectClean(await (await fetch(`http://127.0.0.1:${server.port}${path}`)).text());
});

it('answers to whoever sends alerts', async () => {
  const server = await startHttp({
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 1_000_000,
    sources: [
      {
        name: 'lab',
        verify: () => 'id-1',
        parse: () => {
          throw new AppError('bad-input', said);
        },
      },
    ],
    secrets: { lab: new Secret('x') },
    toleranceMs: 1000,
    clock: { now: Date.now },
    receive: () => Promise.reject(new Error('never')),
    update: async () => {},
    seen: async () => undefined,
    remember: async () => {},
    ready: async () => [said],
    log: quiet,
  });
  closing.push(server.close);
  const at = `http://127.0.0.1:${server.port}`;
  expectClean(await (await fetch(`${at}/readyz`)).text());
  const headers = { 'content-type': 'application/json' };
  expectClean(await (await fetch(`${at}/hooks/lab`, { method: 'POST', body: '{}', headers })).text());
});

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => quiet };
