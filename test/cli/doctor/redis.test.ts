// Doctor on Redis: real servers with settings that would lose work, in every way that we know of.
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { issueServingCertificate } from 'kube-sandbox/certificates';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { startOwnRedis } from '../../../sandbox/redis.ts';
import { openStore } from '../../../src/adapters/redis/connect.ts';
import { deriveKeys } from '../../../src/adapters/redis/derived-keys.ts';
import { createIncidentLog } from '../../../src/adapters/redis/incident-log.ts';
import { redis as check } from '../../../src/cli/doctor/redis.ts';
import { warnOfLoss } from '../../../src/compose/loss.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { Secret } from '../../../src/secret.ts';
import { eventually, recordingLog, trouble } from '../../adapters/redis/support.ts';
import { type DoctorWorld, expectFound, openDoctorWorld, type Planted } from './world.ts';

let world: DoctorWorld;
let admin: Redis;
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  world = await openDoctorWorld();
  admin = new Redis(world.redis.url);
});
afterEach(async () => {
  for (const back of undo.splice(0).toReversed()) await back();
});
afterAll(async () => {
  admin.disconnect();
  await world.close();
});

const list = [check];

/** Set until the end of the test. */
async function set(name: string, value: string, back: string) {
  await admin.config('SET', name, value);
  undo.push(() => admin.config('SET', name, back));
  return { list };
}

/** A user of Redis that may do these things. */
async function user(...rights: string[]) {
  const password = randomBytes(8).toString('hex');
  await admin.acl('SETUSER', 'app', 'reset', 'on', `>${password}`, '~*', ...rights);
  undo.push(() => admin.acl('DELUSER', 'app'));
  return { list, env: { REDIS_URL: world.redis.url.replace('//', `//app:${password}@`) } };
}

/** Writes an incident as another installation would. */
async function incident(key: string, id: string): Promise<void> {
  const store = openStore(new Secret(world.redis.url), recordingLog());
  const log = createIncidentLog({
    store,
    prefix: 'tourniquet',
    keys: deriveKeys(new Secret(key)),
    clock: Date,
  });
  await log.append({ id, expected: 0, head: '', events: [trouble('one'), trouble('two')] });
  await store.close();
  undo.push(() => admin.flushall());
}

const PLANTED: Planted[] = [
  {
    title: 'nobody there',
    look: () => ({ list, env: { REDIS_URL: 'redis://127.0.0.1:1' } }),
    says: 'broken Redis / connection',
    cause: /cannot be reached/,
    remedy: /redis-cli -u "\$REDIS_URL" ping/,
  },
  {
    title: 'no append-only file',
    look: () => set('appendonly', 'no', 'yes'),
    says: 'broken Redis / append-only file',
    cause: /appendonly is off/,
    remedy: /CONFIG SET appendonly yes/,
    also: ['warning Redis / fsync: appendfsync is always, but without'],
  },
  {
    title: 'fsync every second',
    look: () => set('appendfsync', 'everysec', 'always'),
    says: 'warning Redis / fsync',
    cause: /everysec/,
    remedy: /CONFIG SET appendfsync always/,
  },
  {
    title: 'keys that are evicted',
    look: () => set('maxmemory-policy', 'allkeys-lru', 'noeviction'),
    says: 'broken Redis / eviction',
    cause: /allkeys-lru/,
    remedy: /CONFIG SET maxmemory-policy noeviction/,
  },
  {
    title: 'hardly any memory left',
    async look() {
      const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1]);
      return set('maxmemory', String(Math.round(used * 1.15)), '0');
    },
    says: 'warning Redis / memory',
    cause: /\(8\d %\)|\(9[0-4] %\)/,
    remedy: /maxmemory/,
  },
  {
    title: 'memory that is full',
    look: () => set('maxmemory', '1', '0'),
    says: 'broken Redis / writing',
    cause: /OOM/,
    remedy: /log of Redis/,
    also: ['broken Redis / memory: '],
  },
  {
    title: 'a replica',
    async look() {
      await admin.replicaof('127.0.0.1', 1);
      undo.push(() => admin.replicaof('NO', 'ONE'));
      return { list };
    },
    says: 'broken Redis / connection',
    cause: /is a replica/,
    remedy: /redis\+sentinel:\/\//,
    also: ['broken Redis / writing: '],
  },
  {
    title: 'replicas that are not there',
    look: () => ({ list, config: { redis: { waitForReplicas: 1 } } }),
    says: 'broken Redis / replicas',
    cause: /waitForReplicas is 1, but 0/,
    remedy: /lower redis\.waitForReplicas/,
  },
  {
    title: 'a wrong password',
    async look() {
      const { env } = await user('+@all');
      return { list, env: { REDIS_URL: `${env.REDIS_URL.replace(/:[0-9a-f]+@/, ':wrong-password@')}` } };
    },
    says: 'broken Redis / connection',
    cause: /refused the request \(WRONGPASS\)/,
    remedy: /REDIS_URL/,
  },
  {
    title: 'a certificate of nobody known',
    async look() {
      const other = await startOwnRedis({ tls: issueServingCertificate('redis', ['localhost']) });
      undo.push(() => other.close());
      return { list, env: { REDIS_URL: other.url } };
    },
    says: 'broken Redis / connection',
    cause: /certificate of Redis is not trusted .*redis\.caFile/,
    remedy: /REDIS_URL/,
  },
  {
    title: 'a managed Redis that forbids CONFIG',
    look: () => user('+@all', '-config'),
    says: 'warning Redis / fsync',
    cause: /not known/,
    remedy: /redis\.waitForReplicas: 1/,
  },
  {
    title: 'a user who may not run scripts',
    look: () => user('+@all', '-eval'),
    says: 'broken Redis / writing',
    cause: /NOPERM/,
    remedy: /ACL LIST/,
  },
  {
    title: 'a clock that is off',
    look: () => ({ list, now: () => Date.now() + 90_000 }),
    says: 'warning Redis / clock',
    cause: /90 seconds ahead/,
    remedy: /NTP/,
  },
  {
    title: 'a clock that is off by little more than a second',
    look: () => ({ list, now: () => Date.now() + 1700 }),
    says: 'warning Redis / clock',
    cause: /1\.[67] seconds ahead of that of Redis/,
    remedy: /NTP/,
  },
  {
    title: 'a log that was written with another key',
    async look() {
      await incident(randomBytes(32).toString('base64'), 'aaaa');
      return { list };
    },
    says: 'broken Redis / key and log',
    cause: /written with another TOURNIQUET_KEY/,
    remedy: /redis\.prefix/,
  },
  {
    title: 'two installations under one prefix',
    async look() {
      await incident(randomBytes(32).toString('base64'), 'aaaa');
      await incident(world.secrets.TOURNIQUET_KEY, 'bbbb');
      return { list };
    },
    says: 'broken Redis / key and log',
    cause: /1 were written with another TOURNIQUET_KEY: two keys are in use/,
    remedy: /same TOURNIQUET_KEY/,
  },
  {
    title: 'a log that somebody changed',
    async look() {
      await incident(world.secrets.TOURNIQUET_KEY, 'aaaa');
      await admin.lset('tourniquet:log:aaaa', 1, 'nonsense');
      return { list };
    },
    says: 'broken Redis / key and log',
    cause: /aaaa is damaged at entry 2/,
    remedy: /audit verify aaaa/,
  },
];

test.each(PLANTED)('$title', (planted) => expectFound(world, planted));

test('a log that verifies is said to', async () => {
  await incident(world.secrets.TOURNIQUET_KEY, 'aaaa');
  const { report } = await world.doctor({ list });
  expect(report.groups[0]?.checks).toContainEqual({
    name: 'key and log',
    status: 'fine',
    seen: 'verified: the latest 1 incident',
  });
});

/** The lines that a process of this configuration would log at its start, once it has looked. */
async function atStart(): Promise<string[]> {
  const config = loadConfig('worker', world.environment({}));
  const log = recordingLog();
  await using stack = new AsyncDisposableStack();
  const store = openStore(config.redisUrl, log);
  stack.defer(() => store.close());
  const asked = vi.spyOn(store, 'run');
  warnOfLoss({ log, stack, config, graceMs: 0 }, store);
  // Information, two settings, a ping and the time.
  await eventually(() => asked.mock.settledResults.filter(({ type }) => type === 'fulfilled').length).toBe(5);
  await stack.disposeAsync();
  return log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
}

test('bot and worker warn at their start of what could be lost, with the remedy, and else say nothing', async () => {
  expect(await atStart()).toEqual([]);
  await set('appendfsync', 'everysec', 'always');
  await set('maxmemory-policy', 'volatile-lru', 'noeviction');
  expect(await atStart()).toEqual([
    expect.stringMatching(/^Redis: appendfsync is everysec.*CONFIG SET appendfsync always/),
    expect.stringMatching(/^Redis: maxmemory-policy is volatile-lru.*CONFIG SET maxmemory-policy noeviction/),
  ]);
});
