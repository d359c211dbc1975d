// The worker's engine in this process against a real control plane: real adapter and actions, the log in memory, one clock.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectedCluster, connectCluster } from '../../src/adapters/kubernetes/cluster.ts';
import type { ClusterConfig } from '../../src/config/file-schema.ts';
import type { Incident } from '../../src/domain/incident/incident.ts';
import { doWork } from '../../src/engine/door/work.ts';
import { type Harness, type HarnessOptions, startHarness } from '../engine/harness.ts';

const HOUR = 3_600_000;
const LONGEST_MS = 90_000;

export const TIMING = {
  approvalExpiry: 24 * HOUR,
  stability: 15_000,
  retryEvery: 200,
  recheckAfter: [] as number[],
  keepTokenFor: 25 * HOUR,
  soak: HOUR,
};

export interface EngineRoomOptions {
  /** Text of the worker's kubeconfig. */
  kubeconfig: string;
  config?: Partial<ClusterConfig>;
  settings?: HarnessOptions['settings'];
  /** How far the worker's clock is off. */
  skewMs?: number;
}

export type EngineRoom = Awaited<ReturnType<typeof openEngineRoom>>;

export async function openEngineRoom(options: EngineRoomOptions) {
  const directory = await mkdtemp(join(tmpdir(), 'tourniquet-room-'));
  let ahead = options.skewMs ?? 0;
  const harness = await startHarness({
    clusters: {},
    settings: { timing: TIMING, giveUpAfter: HOUR, autoContainPerHour: 100_000, ...options.settings },
  });
  const clock = { now: () => Date.now() + ahead };
  Object.assign(harness.deps.clock, clock);
  // Real controllers take real time.
  harness.deps.sleep = (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined);
  let cluster: ConnectedCluster | undefined;
  /** What a worker that starts with this kubeconfig does first. */
  const connect = async (kubeconfig: string): Promise<void> => {
    await cluster?.close();
    const path = join(directory, 'kubeconfig');
    await writeFile(path, kubeconfig);
    const config = { name: 'prod', kubeconfig: path, searchNamespaces: [], timeout: 3000, ...options.config };
    cluster = connectCluster(config, clock);
    harness.deps.clusters = new Map([['prod', cluster]]);
    await cluster.warm().catch(() => undefined);
    await Promise.all([cluster.self(), cluster.servers()]).catch(() => undefined);
  };
  await connect(options.kubeconfig);
  return {
    ...harness,
    connect,
    /** Puts the worker's clock forward, also under a step that is waiting. */
    forward: (ms: number): void => {
      ahead += ms;
    },
    get prod(): ConnectedCluster {
      return cluster as ConnectedCluster;
    },
    /** Does what is owed until the incident is as wanted. */
    async until(id: string, wanted: (incident: Incident) => boolean): Promise<Incident> {
      const deadline = Date.now() + LONGEST_MS;
      for (;;) {
        const incident = harness.incident(id);
        if (wanted(incident)) return incident;
        if (Date.now() > deadline)
          throw new Error(`It did not happen: ${JSON.stringify(summary(harness, id))}`);
        ahead += await doNext(harness, id, clock.now());
      }
    },
    async close() {
      await cluster?.close();
      await harness.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/**
 * Answers by how much the clock is to be put forward. The worker's own patience costs no time in a test; that of an API
 * server, which still accepts a token from its cache, does.
 */
async function doNext(harness: Harness, id: string, now: number): Promise<number> {
  const [next] = await harness.pending(id);
  if (next === undefined)
    throw new Error(`Nothing is owed any more: ${JSON.stringify(summary(harness, id))}`);
  const early = next.at - now;
  if (early <= 0) {
    await doWork(harness.deps, next);
    return 0;
  }
  const last = harness.incident(id).proof?.rounds.at(-1)?.outcome.verdict;
  if (last !== 'not-done') return early;
  await delay(early);
  return 0;
}

export const summary = (harness: Pick<Harness, 'incident' | 'memory'>, id: string) => {
  const { status, troubles, proof, unidentified, reopened } = harness.incident(id);
  const types = harness.memory
    .events(id)
    .map(({ type }) => type)
    .slice(-30);
  return { status, troubles, unidentified, reopened, proof: proof?.rounds.slice(-2), types };
};
