// A primary that dies under appends: with a replica that is waited for, nothing that was acknowledged is lost, and work goes on.
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OwnRedis, startOwnRedis } from '../../../sandbox/redis.ts';
import type { AppError } from '../../../src/errors.ts';
import { eventually, openWorld } from './support.ts';

const NAME = 'tourniquet';

let primary: OwnRedis;
let replica: OwnRedis;
let sentinel: OwnRedis;
let admin: Redis;

beforeEach(async () => {
  // Otherwise it waits five seconds for more replicas before it copies itself to one.
  primary = await startOwnRedis({ settings: { 'repl-diskless-sync-delay': '0' } });
  replica = await startOwnRedis({ settings: { replicaof: `127.0.0.1 ${primary.port}` } });
  admin = new Redis(primary.url, { maxRetriesPerRequest: null }).on('error', () => undefined);
  await eventually(async () => /connected_slaves:(\d)/.exec(await admin.info('replication'))?.[1]).toBe('1');
  await eventually(() => admin.wait(1, 1000)).toBe(1);
});
afterEach(async () => {
  admin.disconnect();
  await Promise.all([primary, replica, sentinel].map((server) => server?.close()));
});

/** It gets nothing more of its primary, not even what is under way. */
async function cutOff(server: OwnRedis): Promise<void> {
  process.kill(server.pid(), 'SIGSTOP');
  await admin.call('CLIENT', 'KILL', 'TYPE', 'replica');
}

/** One that was confirmed: a busy machine may take longer than a sender is kept waiting, and then it is sent again. */
async function kept(world: ReturnType<typeof openWorld>, name: string): Promise<string> {
  let tries = 0;
  const next = () =>
    world.open(`${name}-${++tries}`).then(
      () => 'kept',
      (error: AppError) => error.message,
    );
  await eventually(next).toBe('kept');
  return `${name}-${tries}`;
}

test('an entry counts as kept only when the replica has it', async () => {
  const world = openWorld(primary, { waitForReplicas: 1 });
  const first = await kept(world, 'one');
  process.kill(replica.pid(), 'SIGSTOP');
  const failure: AppError = await world.open('two').then(
    () => expect.unreachable('it was acknowledged without the replica'),
    (error: AppError) => error,
  );
  expect(failure).toMatchObject({
    code: 'store-unavailable',
    retry: true,
    message: expect.stringMatching(/only 0 of 1 replicas confirmed .* a repeat is recognised/),
  });
  // An anchor that is published and then lost would look as if somebody had cut it off.
  const anchor = { type: 'anchor' as const, why: 'daily' as const, heads: [] };
  await expect(world.ledger.anchor({ version: 0, head: '' }, 0, anchor)).rejects.toMatchObject({
    code: 'store-unavailable',
  });
  // Reading goes on while the writer waits.
  expect((await world.log.load(first))?.events.length).toBe(1);
  process.kill(replica.pid(), 'SIGCONT');
  await kept(world, 'three');
  await world.close();
});

test('a fail-over under appends loses nothing that was acknowledged', async () => {
  sentinel = await startOwnRedis({ sentinel: { name: NAME, port: primary.port } });
  const watcher = new Redis(sentinel.url);
  await eventually(async () => (await watcher.call('SENTINEL', 'REPLICAS', NAME)) as unknown[]).toHaveLength(
    1,
  );
  const url = `redis+sentinel://127.0.0.1:${sentinel.port}/${NAME}`;
  const world = openWorld({ url, prefix: primary.prefix }, { waitForReplicas: 1 });
  // After the fail-over nobody is left to replicate to, so that alone would refuse everything.
  const alone = openWorld({ url, prefix: primary.prefix }, {}, world.key);
  const acknowledged: string[] = [];
  let going = true;
  const appending = (async () => {
    for (let i = 0; going; i++) {
      const kept = await world.open(`id-${i}`).then(
        () => true,
        () => false,
      );
      if (kept) acknowledged.push(`id-${i}`);
    }
  })();
  await eventually(() => acknowledged.length).toBeGreaterThan(50);
  await cutOff(replica);
  // The proof that such a fail-over loses what did not wait.
  await alone.open('hasty');
  await primary.kill();
  process.kill(replica.pid(), 'SIGCONT');
  await eventually(() => watcher.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)).toEqual([
    '127.0.0.1',
    String(replica.port),
  ]);
  going = false;
  await appending;
  await eventually(() => alone.open('afterwards').then(() => 'works', String)).toBe('works');
  expect(await alone.log.load('hasty')).toBeUndefined();
  for (const id of acknowledged) expect((await alone.log.load(id))?.events.length, id).toBe(1);
  expect(await alone.store.patient().ping()).toBe('PONG');
  watcher.disconnect();
  await Promise.all([world.close(), alone.close()]);
});
