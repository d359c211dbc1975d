// kill -9 of the worker in every wave of a rotation: each time another one goes on, and every workload moves exactly once.
import type { RequestMatcher } from 'kube-sandbox';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { askForRotation } from '../../../sandbox/demos.ts';
import { firstCard } from '../../../sandbox/hands.ts';
import { LEDGER } from '../../../sandbox/harbour.ts';
import { judgeRotation, podsOf, tokenIn } from '../../../sandbox/rotation-story.ts';
import { INCIDENTS, type World } from '../../../sandbox/world.ts';
import { cardShows, idOf, openStage, press, START_MS, threadSays, toldOnce } from '../stage.ts';
import { hold, killNextWorkerAfter, killWorkerAfter } from './kill.ts';

/** The lock of a dead worker's job lapses after 10 s, and machines may be busy. */
const RESUMED_MS = 60_000;
const DEPLOYMENTS = `/apis/apps/v1/namespaces/${LEDGER.namespace}/deployments/`;
const WORKLOADS = 8;
const WAVES = 4;

let world: World;
beforeAll(async () => {
  world = await openStage({
    clusters: { prod: { servers: 2, podStartMs: 800, tokenCacheMs: 300 }, staging: {} },
  });
  await Promise.all([world.startRole('bot'), world.startRole('worker')]);
}, START_MS);
afterAll(() => world?.close());
beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript(INCIDENTS))));

const isMove: RequestMatcher = ({ method, path }) =>
  method === 'PATCH' && path.startsWith(DEPLOYMENTS) && !path.includes('dryRun');
const moved = () =>
  world.cluster('prod').requests.filter((request) => isMove(request) && request.status === 200);
/** The request that moves this workload, counted from 1 in the order in which they move. */
const move =
  (n: number): RequestMatcher =>
  (request) =>
    isMove(request) && moved().length === n - 1;

interface ReplicaSet {
  kind: string;
  metadata: { namespace?: string; name: string; ownerReferences?: { kind: string; name: string }[] };
}

/** How many templates each Deployment has had. */
function revisions(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind, metadata } of world.cluster('prod').objects() as ReplicaSet[]) {
    const owner = metadata.ownerReferences?.[0]?.name;
    if (kind !== 'ReplicaSet' || metadata.namespace !== LEDGER.namespace || owner === undefined) continue;
    counts[owner] = (counts[owner] ?? 0) + 1;
  }
  return counts;
}

it('ends as planned, with every workload moved once, whenever a worker dies', async () => {
  const [before, old] = [podsOf(world), tokenIn(world, LEDGER.secret)];
  await askForRotation(world, 'maya');
  const id = idOf(await firstCard(world));

  // Wave 1: the first workload is moved, and the worker never hears of it.
  await killWorkerAfter(world, move(1), () => press(world, id, 'ines', 'Approve plan'));
  // Wave 2: the same with its last workload.
  await killNextWorkerAfter(world, move(4));
  // Wave 3: its last workload was asked for, and the cluster never heard of it.
  const lift = await hold(world, move(6), () => world.startRole('worker'));
  await world.worker().kill();
  lift();
  // Wave 4: both are moved, and their Pods are waited for.
  await killNextWorkerAfter(world, ({ method }) => method === 'GET' && moved().length === WORKLOADS);
  await world.startRole('worker');

  await threadSays(world, id, new RegExp(`Pods of ${WORKLOADS} workloads replaced`), RESUMED_MS);
  await cardShows(world, id, /refused by 2 of 2/, RESUMED_MS);
  expect(
    moved()
      .map(({ path }) => path)
      .toSorted(),
  ).toHaveLength(WORKLOADS);
  expect(new Set(moved().map(({ path }) => path)).size).toBe(WORKLOADS);
  expect(Object.values(revisions())).toEqual(Array(WORKLOADS).fill(2));
  const waves = Array.from({ length: WAVES }, (_, n) => `Wave ${n + 1} of ${WAVES}`);
  expect(await judgeRotation(world, { before, old, waves })).toBe(0);
  toldOnce(world, id);
}, 240_000);
