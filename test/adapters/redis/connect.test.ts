// When Redis fails: requests are refused soon and in plain words, work again by themselves, and what was acknowledged is there.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type OwnRedis, startOwnRedis } from '../../../sandbox/redis.ts';
import { openStore } from '../../../src/adapters/redis/connect.ts';
import { createIncidentLog } from '../../../src/adapters/redis/incident-log.ts';
import { Secret } from '../../../src/secret.ts';
import { eventually, openWorld, recordingLog, trouble } from './support.ts';

/** A caller waits 0.5 s for a connection, then 1 s for an answer; the rest is for a busy machine. */
const LIMIT_MS = 4000;

const unavailable = (message: RegExp) => ({
  code: 'store-unavailable',
  retry: true,
  message: expect.stringMatching(message),
});

describe('a Redis that can be killed', () => {
  let redis: OwnRedis;
  let world: ReturnType<typeof openWorld>;

  beforeEach(async () => {
    redis = await startOwnRedis();
    world = openWorld(redis);
  });

  afterEach(async () => {
    await world.close();
    await redis.close();
  });

  test('while it is gone every call says so in time; once it is back they work, and the outage was logged once', async () => {
    const id = world.newId();
    const head = await world.open(id);
    await redis.kill();
    await eventually(() => world.lines.length).toBe(1);
    const started = performance.now();
    const calls = [
      () => world.log.load(id),
      () => world.log.list(1),
      () => world.log.append({ id, expected: 1, events: [trouble('lost')], head }),
      () => world.vault.open(id),
    ];
    for (const outcome of await Promise.allSettled(calls.map((call) => call())))
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: unavailable(/nothing was read and nothing was accepted\. Try again/),
      });
    expect(performance.now() - started).toBeLessThan(LIMIT_MS);
    await redis.restart();
    await eventually(() => world.log.load(id).catch(() => undefined)).toMatchObject({ head });
    await eventually(() => world.lines.map((line) => line.message)).toEqual([
      'Redis cannot be reached; trying again until it can',
      'Redis can be reached again',
    ]);
  });

  test('a refused append does not take effect later', async () => {
    const id = world.newId();
    const head = await world.open(id);
    await redis.kill();
    const late = Array.from({ length: 10 }, () =>
      world.log.append({ id, expected: 1, events: [trouble('late')], head }).catch((error: unknown) => error),
    );
    for (const error of await Promise.all(late)) expect(error).toMatchObject(unavailable(/./));
    await redis.restart();
    await eventually(() => world.log.load(id).catch(() => undefined)).toMatchObject({ head });
    expect((await world.log.load(id))?.events).toHaveLength(1);
  });

  test('an append that was on its way when Redis died is not sent again', async () => {
    const id = world.newId();
    const head = await world.open(id);
    process.kill(redis.pid(), 'SIGSTOP');
    const lost = world.log.append({ id, expected: 1, events: [trouble('lost')], head });
    const refused = expect(lost).rejects.toMatchObject(unavailable(/not known whether/));
    await redis.kill();
    await refused;
    await redis.restart();
    await eventually(() => world.log.load(id).catch(() => undefined)).toMatchObject({ head });
  });

  test('kill -9 in the middle of appends loses none that was acknowledged', async () => {
    const ids = Array.from({ length: 4 }, () => world.newId());
    const acknowledged = new Map<string, number>();
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const writing = ids.map(async (id) => {
      let head = '';
      for (let version = 0; ; version++) {
        const result = await world.log.append({
          id,
          expected: version,
          events: [trouble(`${version}`)],
          head,
        });
        if (result.kind !== 'appended') throw new Error(result.kind);
        head = result.head;
        acknowledged.set(id, version + 1);
        if ([...acknowledged.values()].every((count) => count >= 20) && acknowledged.size === 4) resolve();
      }
    });
    const ended = Promise.allSettled(writing);
    await enough;
    await redis.kill();
    for (const one of await ended)
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'store-unavailable' } });
    await redis.restart();
    await eventually(() => world.log.list(9).catch(() => [])).toHaveLength(4);
    for (const id of ids)
      expect((await world.log.load(id))?.events.length).toBeGreaterThanOrEqual(
        acknowledged.get(id) ?? Infinity,
      );
  });

  test('a Redis that is full refuses, and says what it needs', async () => {
    const id = world.newId();
    const head = await world.open(id);
    await world.store.run((r) => r.config('SET', 'maxmemory', '1'));
    const append = () => world.log.append({ id, expected: 1, events: [trouble('more')], head });
    await expect(append()).rejects.toMatchObject(unavailable(/OOM.*nothing was accepted.*memory/));
    await world.store.run((r) => r.config('SET', 'maxmemory', '0'));
    expect(await append()).toMatchObject({ kind: 'appended' });
  });
});

test('a Redis that hangs is given up in time, without claiming that nothing was stored', async () => {
  const silent = createServer(answerHandshakeOnly).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const store = openStore(new Secret(`redis://127.0.0.1:${address.port}`), recordingLog());
  const log = createIncidentLog({
    store,
    prefix: 'hung',
    keys: { seal: Buffer.alloc(32), chain: Buffer.alloc(32), fingerprint: Buffer.alloc(32) },
    clock: { now: () => 0 },
  });
  const started = performance.now();
  await expect(log.append({ id: 'a', expected: 0, events: [trouble('x')], head: '' })).rejects.toMatchObject(
    unavailable(/not known whether/),
  );
  expect(performance.now() - started).toBeLessThan(LIMIT_MS);
  await store.close();
  silent.close();
});

/** Enough Redis to be connected to: answers what ioredis asks at the start, and never a script. */
function answerHandshakeOnly(socket: Socket): void {
  socket.on('error', () => undefined);
  socket.on('data', (data) => {
    for (const [command] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
      if (/hello/i.test(command)) socket.write('%1\r\n+server\r\n+redis\r\n');
      else if (/info/i.test(command)) socket.write('$9\r\nloading:0\r\n');
      else if (/quit/i.test(command)) socket.end('+OK\r\n');
      else if (!/eval/i.test(command)) socket.write('+OK\r\n');
    }
  });
}
