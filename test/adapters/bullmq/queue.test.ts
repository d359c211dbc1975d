// The queue on a real Redis: each attempt once, at its time, to the right role, again after a failure, and not cut short.
import { Queue, Worker } from 'bullmq';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type OwnRedis, type SandboxRedis, startOwnRedis, startRedis } from '../../../sandbox/redis.ts';
import { createJobQueue, type WorkRole } from '../../../src/adapters/bullmq/queue.ts';
import { type RunningWorker, startWorker, type WorkHandler } from '../../../src/adapters/bullmq/worker.ts';
import { openStore } from '../../../src/adapters/redis/connect.ts';
import type { Work } from '../../../src/ports/queue.ts';
import { Secret } from '../../../src/secret.ts';
import { eventually, recordingLog } from '../redis/support.ts';

let redis: SandboxRedis;
const opened: { close(graceMs: number): Promise<unknown> }[] = [];

beforeAll(async () => {
  redis = await startRedis();
});

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close(0);
});

afterAll(() => redis.close());

let worlds = 0;

/** A queue of its own, under the prefix of this file's Redis. */
function openQueue(server: SandboxRedis = redis, prefix = `${server.prefix}:${++worlds}`) {
  const log = recordingLog();
  const store = openStore(new Secret(server.url), log);
  const clock = { ahead: 0, now: () => Date.now() + clock.ahead };
  // Queue names must not hold a colon, and prefixes of the product do not.
  const options = { connections: store, prefix: prefix.replaceAll(':', '-'), clock, log };
  const queue = createJobQueue(options);
  opened.push(store, queue);
  return {
    queue,
    log,
    clock,
    options,
    store,
    work(role: WorkRole, handler: WorkHandler, concurrency = 5): RunningWorker {
      const worker = startWorker(role, handler, { ...options, concurrency });
      opened.push(worker);
      return worker;
    },
  };
}

const work = (id: string, more: Partial<Work> = {}): Work => ({
  id,
  kind: 'investigate',
  incidentId: `inc-of-${id}`,
  at: 0,
  ...more,
});

/** A handler that notes what it got. */
function noting() {
  const got: string[] = [];
  const handler: WorkHandler = async ({ id }) => {
    got.push(id);
  };
  return { got, handler };
}

test('work arrives with its id, kind and incident, and with nothing else', async () => {
  const { queue, work: start } = openQueue();
  const got: unknown[] = [];
  start('worker', async (one) => {
    got.push(one);
  });
  await queue.add([work('a', { kind: 'recheck' })]);
  await eventually(() => got).toEqual([{ id: 'a', kind: 'recheck', incidentId: 'inc-of-a' }]);
});

test('reports go to the bot, everything else to the worker', async () => {
  const { queue, work: start } = openQueue();
  const [bot, worker] = [noting(), noting()];
  await queue.add([
    work('r', { kind: 'report' }),
    work('i', { kind: 'investigate' }),
    work('x', { kind: 'run' }),
    work('e', { kind: 'expire' }),
    work('s', { kind: 'report' }),
  ]);
  start('bot', bot.handler);
  start('worker', worker.handler);
  await eventually(() => bot.got.toSorted()).toEqual(['r', 's']);
  await eventually(() => worker.got.toSorted()).toEqual(['e', 'i', 'x']);
});

test('an id that is added many times, alone and in bulk, is one job', async () => {
  const { queue, work: start } = openQueue();
  await Promise.all(Array.from({ length: 20 }, () => queue.add([work('same')])));
  await Promise.all(Array.from({ length: 5 }, () => queue.add([work('same'), work('other')])));
  const { got, handler } = noting();
  start('worker', handler, 1);
  await queue.add([work('last')]);
  await eventually(() => got).toContain('last');
  expect(got.toSorted()).toEqual(['last', 'other', 'same']);
});

test('no work at all is no request', async () => {
  const { queue } = openQueue();
  await expect(queue.add([])).resolves.toBeUndefined();
});

test('work for later waits for its time', async () => {
  const { queue, work: start } = openQueue();
  const at = Date.now() + 400;
  let ranAt = 0;
  start('worker', async ({ id }) => {
    if (id === 'later') ranAt = Date.now();
  });
  await queue.add([work('later', { at }), work('now')]);
  await eventually(() => ranAt).toBeGreaterThan(0);
  expect(ranAt).toBeGreaterThanOrEqual(at);
});

test('a job that threw is logged without data, leaves no record, and may be added again', async () => {
  const { queue, log, work: start, store } = openQueue();
  let runs = 0;
  start('worker', async () => {
    runs++;
    if (runs === 1) throw new Error('the cluster was away');
  });
  await queue.add([work('again')]);
  await eventually(() => log.lines.filter((line) => line.level === 'warn')).toHaveLength(1);
  expect(log.lines.find((line) => line.level === 'warn')?.fields).toEqual({
    err: expect.objectContaining({ message: 'the cluster was away' }),
    job: 'again',
    work: 'investigate',
    incident: 'inc-of-again',
  });
  await queue.add([work('again')]);
  await eventually(() => runs).toBe(2);
  await eventually(() => store.run((r) => r.keys(`*worker:again`))).toEqual([]);
});

test('two workers share the work, and none of it runs twice', async () => {
  const { queue, work: start } = openQueue();
  const [a, b] = [noting(), noting()];
  const ids = Array.from({ length: 40 }, (_, i) => `w-${i}`);
  await queue.add(ids.map((id) => work(id)));
  start('worker', a.handler, 1);
  start('worker', b.handler, 1);
  await eventually(() => a.got.length + b.got.length).toBe(40);
  expect([...a.got, ...b.got].toSorted()).toEqual(ids.toSorted());
  expect(a.got.length * b.got.length).toBeGreaterThan(0);
});

test('no more run at once than allowed', async () => {
  const { queue, work: start } = openQueue();
  const gates: (() => void)[] = [];
  start('worker', () => new Promise((resolve) => gates.push(resolve)), 2);
  await queue.add(['a', 'b', 'c'].map((id) => work(id)));
  await eventually(() => gates.length).toBe(2);
  gates[0]?.();
  await eventually(() => gates.length).toBe(3);
  for (const open of gates) open();
});

describe('closing', () => {
  test('waits for the job that runs and takes no other', async () => {
    const { queue, work: start, options, store } = openQueue();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const started: string[] = [];
    const worker = start(
      'worker',
      ({ id }) => {
        started.push(id);
        return gate;
      },
      1,
    );
    await queue.add([work('running'), work('waiting')]);
    await eventually(() => started).toHaveLength(1);
    let closed = false;
    const closing = worker.close(10_000).then(() => {
      closed = true;
    });
    // Time enough, by Redis's own clock, for a close that would not wait.
    for (let i = 0; i < 100; i++) await store.run((r) => r.ping());
    expect(closed).toBe(false);
    open();
    await closing;
    expect(started).toEqual(['running']);
    const counts = await countsOf(options);
    expect(counts).toMatchObject({ waiting: 1, active: 0 });
  });

  test('does not wait longer than the grace period; the job stays for another worker', async () => {
    const { queue, work: start, options } = openQueue();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    let started = false;
    const worker = start('worker', () => {
      started = true;
      return gate;
    });
    await queue.add([work('endless')]);
    await eventually(() => started).toBe(true);
    await worker.close(50);
    expect(await countsOf(options)).toMatchObject({ active: 1 });
    open();
  });
});

async function countsOf({ connections, prefix }: ReturnType<typeof openQueue>['options']) {
  const queue = new Queue(`${prefix}-worker`, { connection: connections.patient(), prefix });
  const counts = await queue.getJobCounts('waiting', 'active', 'delayed');
  await queue.close();
  return counts;
}

test('a job whose worker died is taken up by another', async () => {
  const { queue, work: start, options } = openQueue();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  let taken = false;
  // A worker whose lock lapses at once, as of a process that was killed.
  const dead = new Worker(
    `${options.prefix}-worker`,
    () => {
      taken = true;
      return gate;
    },
    {
      connection: options.connections.patient(),
      prefix: options.prefix,
      lockDuration: 100,
      skipLockRenewal: true,
      skipStalledCheck: true,
    },
  );
  dead.on('error', () => undefined);
  await queue.add([work('orphan')]);
  await eventually(() => taken).toBe(true);
  await dead.close(true);
  const { got, handler } = noting();
  start('worker', handler);
  await eventually(() => got).toEqual(['orphan']);
  open();
});

test('the age of the last poll falls when Redis answers one, and is nothing while every slot is busy', async () => {
  const { queue, work: start, clock } = openQueue();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const worker = start('worker', ({ id }) => (id === 'busy' ? gate : Promise.resolve()), 1);
  const HOUR = 3_600_000;
  clock.ahead = HOUR;
  expect(worker.lastPollAgeMs()).toBeGreaterThanOrEqual(HOUR);
  await queue.add([work('quick')]);
  await eventually(() => worker.lastPollAgeMs()).toBeLessThan(HOUR);
  await queue.add([work('busy')]);
  await eventually(() => {
    clock.ahead += HOUR;
    return worker.lastPollAgeMs();
  }).toBe(0);
  open();
});

describe('a Redis that goes away', () => {
  let own: OwnRedis;

  beforeAll(async () => {
    own = await startOwnRedis();
  });

  afterAll(() => own.close());

  test('adding is refused in time; after it is back the same worker and queue go on', async () => {
    const { queue, work: start } = openQueue(own);
    const { got, handler } = noting();
    start('worker', handler);
    await queue.add([work('before')]);
    await eventually(() => got).toEqual(['before']);
    await own.kill();
    await expect(queue.add([work('during')])).rejects.toMatchObject({
      code: 'store-unavailable',
      retry: true,
    });
    await expect(queue.add([work('x'), work('y')])).rejects.toMatchObject({ code: 'store-unavailable' });
    await own.restart();
    await eventually(() =>
      queue.add([work('after-1'), work('after-2')]).then(
        () => 'added',
        () => 'refused',
      ),
    ).toBe('added');
    await eventually(() => got.toSorted()).toEqual(['after-1', 'after-2', 'before']);
  });

  test('a queue that is opened while Redis is away works once it is there', async () => {
    await own.kill();
    const { queue, work: start } = openQueue(own);
    const { got, handler } = noting();
    start('worker', handler);
    await expect(queue.add([work('early')])).rejects.toMatchObject({ code: 'store-unavailable' });
    await own.restart();
    await eventually(() =>
      queue.add([work('early')]).then(
        () => 'added',
        () => 'refused',
      ),
    ).toBe('added');
    await eventually(() => got).toEqual(['early']);
  });
});

test('what the queue holds for later is let go once it is late, whatever clock it was put there by', async () => {
  const { queue, clock, work: start } = openQueue();
  clock.ahead = -3_600_000;
  await queue.add([work('held', { at: Date.now() })]);
  clock.ahead = 0;
  await queue.add([work('held', { at: Date.now() })]);
  expect((await queue.counts()).worker).toMatchObject({ waiting: 0, delayed: 1 });
  await queue.add([work('held', { at: Date.now() }), work('other', { at: Date.now() })], 'late');
  expect((await queue.counts()).worker).toMatchObject({ waiting: 2, delayed: 0 });
  const { got, handler } = noting();
  await start('worker', handler).ready;
  await eventually(() => got.toSorted()).toEqual(['held', 'other']);
});
