// The worker: everything that touches clusters, and no ingress but its health endpoint.
import { setTimeout as wait } from 'node:timers/promises';
import { actions } from '../actions/index.ts';
import { startClerk } from '../adapters/bullmq/desk.ts';
import { startWorker } from '../adapters/bullmq/worker.ts';
import { type ConnectedCluster, connectCluster } from '../adapters/kubernetes/cluster.ts';
import type { Watch } from '../adapters/kubernetes/request.ts';
import { planAnew } from '../engine/act/under-policy.ts';
import { answer } from '../engine/door/answer.ts';
import { doWork } from '../engine/door/work.ts';
import type { WorkerDeps } from '../engine/ground/deps.ts';
import { createGate } from '../engine/ground/gate.ts';
import { isAppError } from '../errors.ts';
import { every } from '../every.ts';
import type { Log } from '../log.ts';
import type { Assembly } from './assembly.ts';
import type { Shared } from './shared.ts';
import { warmUp } from './warm-up.ts';

/** A roll-out holds its place for minutes, and so does what waits at the gate below; a kill must find one at any time. */
const JOBS_AT_ONCE = 500;
/** Plans and probes cost processor time, which kills need. */
const UNHURRIED_AT_ONCE = 8;

/** A cluster that is away is noticed by then, and so is that it is back. */
const PING_EVERY_MS = 30_000;

export async function startWorkerRole(
  { config, log, stack, graceMs }: Assembly,
  shared: Shared,
): Promise<void> {
  const { queueOptions, deps, telemetry } = shared;
  const watch = watchRequests(telemetry);
  const clusters = new Map(
    config.clusters.map((cluster) => [cluster.name, connectCluster(cluster, { watch })]),
  );
  for (const cluster of clusters.values()) stack.defer(() => cluster.close());
  const stopping = new AbortController();
  const unhurried = createGate(UNHURRIED_AT_ONCE);
  const workerDeps = { ...deps, clusters, actions, sleep, stopping: stopping.signal, unhurried };
  const options = { ...queueOptions, concurrency: JOBS_AT_ONCE };
  const worker = startWorker('worker', (work) => doWork(workerDeps, work), options);
  stack.defer(() => worker.close(graceMs));
  telemetry.vitals.queues.set('worker', worker);
  stack.defer(() => stopping.abort());
  const clerk = startClerk((question) => answer(clusters, question), queueOptions);
  stack.defer(() => clerk.close());
  // A cluster that is away now is asked again when it is needed; the others must not wait for it.
  const { clusters: silent } = telemetry.vitals;
  const warming = [...clusters.values()].map((cluster) => warm(cluster, silent, log));
  await warmUp([worker.ready, ...warming, underNewPolicy(workerDeps, log)]);
  const ask = async (): Promise<void> => {
    await Promise.all(
      [...clusters.values()].map((cluster) => noteAnswer(cluster, silent, () => cluster.ping())),
    );
  };
  const failed = (err: unknown): void =>
    log.error({ err }, 'clusters could not be asked whether they answer');
  const asking = every(PING_EVERY_MS, ask, failed, PING_EVERY_MS);
  stack.defer(() => asking.stop());
}

const watchRequests =
  ({ metrics }: Shared['telemetry']): Watch =>
  ({ cluster, verb, resource, code, ms }) => {
    metrics.count('tourniquet_kubernetes_requests_total', { cluster, verb, resource, code });
    metrics.observe('tourniquet_kubernetes_request_seconds', { cluster, verb }, ms / 1000);
  };

/** Keeps why a cluster did not answer, for whoever asks how this process is. Returns what went wrong; never throws. */
async function noteAnswer(
  { name }: ConnectedCluster,
  silent: Map<string, string>,
  ask: () => Promise<unknown>,
): Promise<unknown> {
  try {
    await ask();
    silent.set(name, '');
    return undefined;
  } catch (error) {
    silent.set(
      name,
      isAppError(error) ? error.message : `An unexpected error on ${name}; see the worker log.`,
    );
    return error;
  }
}

/** Plans that wait under an older policy; what is missed here is checked at the click and at the step all the same. */
async function underNewPolicy(deps: WorkerDeps, log: Log): Promise<void> {
  try {
    const plans = await planAnew(deps);
    if (plans > 0)
      log.info({ plans, policy: deps.settings.policy.version }, 'planning anew under another policy');
  } catch (err) {
    log.warn({ err }, 'plans under an older policy could not be looked at');
  }
}

/** Ends early when told to stop. */
async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

/** So that the first kill finds an open connection, the signing keys, and who the worker itself is. */
async function warm(cluster: ConnectedCluster, silent: Map<string, string>, log: Log): Promise<void> {
  const err = await noteAnswer(cluster, silent, async () => {
    await cluster.warm();
    await Promise.all([cluster.self(), cluster.servers()]);
  });
  if (err !== undefined)
    log.warn(
      { err, cluster: cluster.name },
      'this cluster does not answer yet; it is asked again when needed',
    );
}
