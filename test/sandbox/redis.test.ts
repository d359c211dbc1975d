// The sandbox's Redis: durable, private, and gone when it should be, even if the process that started it was killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterEach, expect, test, vi } from 'vitest';
import { startOwnRedis, startRedis } from '../../sandbox/redis.ts';
import { eventually } from '../adapters/redis/support.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const connect = (url: string) => new Redis(url, { retryStrategy: () => null }).on('error', () => undefined);

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function setting(redis: Redis, name: string): Promise<string | undefined> {
  return ((await redis.config('GET', name)) as string[])[1];
}

test('it keeps what was acknowledged through a kill, listens on loopback only, and leaves nothing behind', async () => {
  const own = await startOwnRedis();
  let client = connect(own.url);
  await client.set('kept', 'yes');
  const directory = (await setting(client, 'dir')) ?? '';
  expect(await setting(client, 'bind')).toBe('127.0.0.1');
  expect(await setting(client, 'appendfsync')).toBe('always');
  expect(await setting(client, 'maxmemory-policy')).toBe('noeviction');
  await own.kill();
  expect(alive(own.pid())).toBe(false);
  await own.restart();
  client = connect(own.url);
  expect(await client.get('kept')).toBe('yes');
  client.disconnect();
  const pid = own.pid();
  await own.close();
  expect(alive(pid)).toBe(false);
  expect(existsSync(directory)).toBe(false);
});

test('two of them do not meet', async () => {
  const [a, b] = await Promise.all([startOwnRedis(), startOwnRedis()]);
  expect(a.url).not.toBe(b.url);
  expect(a.prefix).not.toBe(b.prefix);
  await Promise.all([a.close(), b.close()]);
});

test('when its process is killed, server and directory go too', async () => {
  const program = `
    import { startOwnRedis } from ${JSON.stringify(new URL('../../sandbox/redis.ts', import.meta.url).href)};
    import { Redis } from 'ioredis';
    const own = await startOwnRedis();
    const client = new Redis(own.url);
    console.log(JSON.stringify({ pid: own.pid(), directory: (await client.config('GET', 'dir'))[1] }));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { pid, directory } = JSON.parse(line.toString()) as { pid: number; directory: string };
  expect(alive(pid)).toBe(true);
  child.kill('SIGKILL');
  await eventually(() => alive(pid) || existsSync(directory)).toBe(false);
});

test('with REDIS_URL it borrows that one, and on close removes its own keys and no other', async () => {
  const own = await startOwnRedis();
  vi.stubEnv('REDIS_URL', own.url);
  const borrowed = await startRedis();
  expect(borrowed.url).toBe(own.url);
  expect(borrowed.prefix).toMatch(/^[a-z0-9-]+$/);
  const client = connect(own.url);
  const mine = Array.from({ length: 1200 }, (_, i) => [`${borrowed.prefix}:key:${i}`, 'x']).flat();
  await client.mset(mine);
  await client.mset('theirs', 'x', `theirs:${borrowed.prefix}:key`, 'x');
  await borrowed.close();
  expect((await client.keys('*')).sort()).toEqual(['theirs', `theirs:${borrowed.prefix}:key`].sort());
  client.disconnect();
  await own.close();
});

test('a REDIS_URL where nobody answers is said to be one', async () => {
  const own = await startOwnRedis();
  await own.close();
  vi.stubEnv('REDIS_URL', own.url);
  await expect(startRedis()).rejects.toThrow(/REDIS_URL is set, but no Redis answers/);
});

test('without any server it says how to get one', async () => {
  vi.stubEnv('PATH', '/nonexistent');
  vi.spyOn(process, 'getuid').mockReturnValue(1000);
  await expect(startOwnRedis()).rejects.toThrow(/install redis-server or valkey-server.*set REDIS_URL/s);
  vi.restoreAllMocks();
});
