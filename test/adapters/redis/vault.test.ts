// Sealed tokens: readable with the key and for their incident only, gone when told, and never in the clear in Redis.
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SandboxRedis, startRedis } from '../../../sandbox/redis.ts';
import { createJobQueue } from '../../../src/adapters/bullmq/queue.ts';
import { deriveKeys } from '../../../src/adapters/redis/derived-keys.ts';
import { createVault } from '../../../src/adapters/redis/vault.ts';
import { Secret } from '../../../src/secret.ts';
import { eventually, makeToken, openWorld, recordingLog, trouble } from './support.ts';

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

async function sealed(token: string, ttlMs = 60_000): Promise<string> {
  const id = world.newId();
  const seal = { token: new Secret(token), ttlMs };
  await world.log.append({ id, expected: 0, events: [trouble('leak')], head: '', seal });
  return id;
}

test('a token that was sealed with an append opens again, expires by itself, and is gone when destroyed', async () => {
  const token = makeToken();
  const id = await sealed(token);
  expect((await world.vault.open(id))?.reveal()).toBe(token);
  const ttl = await world.store.run((r) => r.pttl(world.space.token(id)));
  expect(ttl).toBeGreaterThan(0);
  expect(ttl).toBeLessThanOrEqual(60_000);
  await world.vault.destroy(id);
  expect(await world.vault.open(id)).toBeUndefined();
});

test('an expired token is gone', async () => {
  const id = await sealed(makeToken(), 1);
  await eventually(() => world.vault.open(id)).toBeUndefined();
});

test('the same token is sealed differently each time', async () => {
  const token = makeToken();
  const ids = await Promise.all([sealed(token), sealed(token)]);
  const [a, b] = await world.store.run((r) => r.mget(ids.map(world.space.token)));
  expect(a).not.toEqual(b);
});

test.each<[string, (stored: Buffer) => Buffer]>([
  [
    'a changed ciphertext',
    (stored) => Buffer.concat([stored.subarray(0, -1), Buffer.from([(stored.at(-1) ?? 0) ^ 1])]),
  ],
  ['a shortened one', (stored) => stored.subarray(0, 20)],
])('%s does not open', async (_, change) => {
  const id = await sealed(makeToken());
  const stored = await world.store.run((r) => r.get(world.space.token(id)));
  const changed = change(Buffer.from(stored ?? '', 'base64')).toString('base64');
  await world.store.run((r) => r.set(world.space.token(id), changed));
  await expect(world.vault.open(id)).rejects.toMatchObject({ code: 'log-damaged' });
});

test('a token that was moved to another incident does not open', async () => {
  const [from, to] = [await sealed(makeToken()), await sealed(makeToken())];
  await world.store.run((r) => r.copy(world.space.token(from), world.space.token(to), 'REPLACE'));
  await expect(world.vault.open(to)).rejects.toMatchObject({
    code: 'log-damaged',
    message: expect.stringContaining('TOURNIQUET_KEY'),
  });
});

test('fingerprints: same token and key, same fingerprint; another of either, another', () => {
  const token = new Secret(makeToken());
  const other = createVault({ ...world, keys: deriveKeys(new Secret(randomBytes(32).toString('base64'))) });
  const twin = createVault({ ...world, keys: deriveKeys(world.key) });
  expect(world.vault.fingerprint(token)).toMatch(/^[0-9a-f]{64}$/);
  expect(twin.fingerprint(token)).toBe(world.vault.fingerprint(token));
  expect(other.fingerprint(token)).not.toBe(world.vault.fingerprint(token));
  expect(world.vault.fingerprint(new Secret(makeToken()))).not.toBe(world.vault.fingerprint(token));
});

test('the three keys differ from one another and from the secret', () => {
  const all = [...Object.values(world.keys), Buffer.from(world.key.reveal(), 'base64')].map((key: Buffer) =>
    key.toString('hex'),
  );
  expect(new Set(all).size).toBe(4);
});

test('the token is in no value that anything wrote to Redis, BullMQ included', async () => {
  const token = makeToken();
  const id = await sealed(token);
  const queue = createJobQueue({
    connections: world.store,
    prefix: world.prefix,
    clock: world.clock,
    log: recordingLog(),
  });
  const kinds = ['investigate', 'report', 'recheck'] as const;
  await queue.add(
    kinds.map((kind) => ({ id: `${id}-${kind}`, kind, incidentId: id, at: world.clock.at + 5000 })),
  );
  await world.log.advance('slack', id, 1);
  const everything = await world.store.run(dumpAll);
  expect(everything.length).toBeGreaterThan(8);
  expect(everything.join('\n')).toContain(`"incidentId":"${id}"`);
  for (const part of [token, ...token.split('.'), Buffer.from(token).toString('base64').slice(0, 200)])
    expect(everything.filter((text) => text.includes(part))).toEqual([]);
  await queue.close();
});

async function dumpAll(r: Redis): Promise<string[]> {
  const read: Record<string, (key: string) => Promise<unknown>> = {
    string: (key) => r.get(key),
    list: (key) => r.lrange(key, 0, -1),
    set: (key) => r.smembers(key),
    zset: (key) => r.zrange(key, '0', '-1'),
    hash: (key) => r.hgetall(key),
    stream: (key) => r.xrange(key, '-', '+'),
  };
  const texts: string[] = [];
  for (const key of await r.keys(`${world.prefix}:*`)) {
    const value = await read[await r.type(key)]?.(key);
    expect(value, key).toBeTruthy();
    texts.push(`${key} ${typeof value === 'string' ? value : JSON.stringify(value).replaceAll('\\"', '"')}`);
  }
  return texts;
}
