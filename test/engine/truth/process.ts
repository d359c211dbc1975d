// A worker and a bot as processes: each with a clock, caches and a log of its own, and a worker that dies stays dead.
import {
  actions,
  type BotDeps,
  type Clock,
  type ConnectedCluster,
  createFront,
  createGate,
  DEFAULT_PACE,
  type Front,
  type IncidentLog,
  type Policy,
  planAnew,
  type Settings,
  type WorkerDeps,
} from './product.ts';
import type { Stage } from './stage.ts';
import { type Ambush, connect } from './wire.ts';

export class Dead extends Error {}

/** At the how-manieth append from now, and whether it is written. */
export interface Doom {
  appends: number;
  written: boolean;
}

export interface Shared extends Pick<BotDeps, 'log' | 'vault' | 'pause' | 'locks'> {
  /** The log stamps each append by the clock of whoever writes. */
  stamping(skewMs: number): void;
  clock: Clock;
  sleep(ms: number): Promise<void>;
  ambush: Ambush;
}

export interface Worker {
  deps: WorkerDeps;
  skewMs: number;
  doom: Doom | undefined;
  dead: boolean;
  ping(): Promise<void>;
}

const quiet = { info() {}, warn() {}, error() {} };

const settingsOf = (policy: Policy): Settings => ({
  timing: {
    approvalExpiry: 24 * 3_600_000,
    stability: 15_000,
    retryEvery: 2000,
    recheckAfter: [300_000, 3_600_000, 86_400_000],
    keepTokenFor: 25 * 3_600_000,
    soak: 24 * 3_600_000,
  },
  giveUpAfter: 120_000,
  autoContainPerHour: 10,
  pace: DEFAULT_PACE,
  searchNamespaces: {},
  reporters: [],
  policy,
});

const clockOf = (clock: Clock, skewMs: number): Clock => ({ now: () => clock.now() + skewMs });

/** Starts as the worker's role does: warm where clusters answer, and plans under the new policy. */
export async function startWorker(
  shared: Shared,
  stage: Stage,
  policy: Policy,
  skewMs: number,
): Promise<Worker> {
  const clock = clockOf(shared.clock, skewMs);
  const connected = [...stage.clusters].map(([name, cluster]) =>
    connect(cluster, stage.kubeconfigs.get(name) ?? '', clock, shared.ambush),
  );
  const worker: Worker = {
    skewMs,
    doom: undefined,
    dead: false,
    ping: async () => void (await Promise.allSettled(connected.map((cluster) => cluster.ping()))),
    deps: {
      ...shared,
      log: mortal(shared, () => worker),
      clock,
      queue: { add: async () => {} },
      settings: settingsOf(policy),
      logger: quiet,
      clusters: new Map(connected.map((cluster) => [cluster.name, cluster])),
      actions,
      sleep: shared.sleep,
      stopping: new AbortController().signal,
      unhurried: createGate(8),
    },
  };
  await Promise.allSettled(connected.map(warm));
  await planAnew(worker.deps);
  return worker;
}

async function warm(cluster: ConnectedCluster): Promise<void> {
  await cluster.warm();
  await Promise.all([cluster.self(), cluster.servers()]);
}

/** Dies where it is doomed to, and does nothing any more after that: not even note that it failed. */
function mortal(shared: Shared, self: () => Worker): IncidentLog {
  const alive = (): void => {
    if (self().dead) throw new Dead();
  };
  return {
    ...shared.log,
    async load(id) {
      alive();
      return await shared.log.load(id);
    },
    async loadAfter(...known) {
      alive();
      return await shared.log.loadAfter(...known);
    },
    async append(request) {
      alive();
      const worker = self();
      const { doom } = worker;
      if (doom) doom.appends -= 1;
      worker.dead = doom?.appends === 0;
      if (doom && worker.dead && !doom.written) throw new Dead();
      shared.stamping(worker.skewMs);
      const result = await shared.log.append(request);
      alive();
      return result;
    },
  };
}

export const TEAM = 'T1';

export function startBot(shared: Shared, stage: Stage, policy: Policy, skewMs: number): Front {
  const log: IncidentLog = {
    ...shared.log,
    append(request) {
      shared.stamping(skewMs);
      return shared.log.append(request);
    },
  };
  const clock = clockOf(shared.clock, skewMs);
  const settings = settingsOf(policy);
  const deps: BotDeps = { ...shared, log, clock, settings, queue: { add: async () => {} }, logger: quiet };
  return createFront(deps, {
    roster: { policy, teamId: TEAM },
    clusters: [...stage.clusters.keys()],
    ask: () => Promise.reject(new Error('nobody asks here')),
    health: async () => [],
  });
}
