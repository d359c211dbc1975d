// Questions to the worker: answered in time, or a plain refusal; never answered for nobody.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type SandboxRedis, startRedis } from '../../../sandbox/redis.ts';
import { createDesk, startClerk } from '../../../src/adapters/bullmq/desk.ts';
import { openStore } from '../../../src/adapters/redis/connect.ts';
import { AppError } from '../../../src/errors.ts';
import type { Answer, Question } from '../../../src/ports/desk.ts';
import { Secret } from '../../../src/secret.ts';
import { recordingLog } from '../redis/support.ts';

let redis: SandboxRedis;
let world: ReturnType<typeof openDesk>;
let count = 0;

function openDesk() {
  const log = recordingLog();
  const store = openStore(new Secret(redis.url), log);
  const clock = { ahead: 0, now: () => Date.now() + clock.ahead };
  const options = { connections: store, prefix: `${redis.prefix}-${++count}`, clock, log };
  const desk = createDesk(options);
  const clerks: { close(): Promise<void> }[] = [];
  return {
    desk,
    log,
    clock,
    answer(handler: (question: Question) => Promise<Answer>) {
      clerks.push(startClerk(handler, options));
    },
    async close() {
      await Promise.all(clerks.map((clerk) => clerk.close()));
      await desk.close();
      await store.close();
    },
  };
}

beforeAll(async () => {
  redis = await startRedis();
});

beforeEach(() => {
  world = openDesk();
});

afterEach(() => world.close());

afterAll(() => redis.close());

const names = (cluster: string): Question => ({ ask: 'list-namespaces', cluster });
const found = (...list: string[]): Answer => ({ found: list, near: [], problems: [] });
const SOON = 10_000;

test('every question gets its own answer', async () => {
  world.answer(async (question) => found(JSON.stringify(question)));
  const clusters = Array.from({ length: 20 }, (_, i) => `cluster-${i}`);
  const answers = await Promise.all(clusters.map((cluster) => world.desk.ask(names(cluster), SOON)));
  expect(answers).toEqual(clusters.map((cluster) => found(JSON.stringify(names(cluster)))));
});

test('without a worker the question times out and says what to check', async () => {
  await expect(world.desk.ask(names('prod'), 100)).rejects.toMatchObject({
    code: 'timeout',
    retry: true,
    message: expect.stringMatching(/No worker answered within 0\.1 s.*worker is running/),
  });
});

test('a worker that takes too long is not waited for', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<Answer>();
  world.answer(() => gate);
  await expect(world.desk.ask(names('slow'), 100)).rejects.toMatchObject({ code: 'timeout' });
  open(found());
});

test('a question that nobody waits for any more is dropped, later ones are answered', async () => {
  await expect(world.desk.ask(names('stale'), 50)).rejects.toMatchObject({ code: 'timeout' });
  world.clock.ahead = 1000;
  const asked: Question[] = [];
  world.answer(async (question) => {
    asked.push(question);
    return found('x');
  });
  expect(await world.desk.ask(names('fresh'), SOON)).toEqual(found('x'));
  expect(asked).toEqual([names('fresh')]);
});

test.each([
  [
    'a known problem in its own words',
    new AppError('forbidden', 'May not list namespaces on prod.'),
    'May not list namespaces on prod.',
  ],
  [
    'anything else without its details',
    new Error('boom at 10.0.0.7'),
    'The worker failed to look; its log says why.',
  ],
])('a worker that fails answers with %s', async (_, error, problem) => {
  world.answer(() => Promise.reject(error));
  expect(await world.desk.ask(names('prod'), SOON)).toEqual({ found: [], near: [], problems: [problem] });
  expect(world.log.lines.map((line) => line.fields)).toContainEqual({ err: error, ask: 'list-namespaces' });
});
