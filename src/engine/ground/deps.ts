// What the engine's use-cases are given: ports, registries and settings.
import type { Action } from '../../contracts/action.ts';
import type { Timing } from '../../domain/owed/timing.ts';
import type { Pace } from '../../domain/plan/waves.ts';
import type { Policy } from '../../domain/rules/policy.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Cluster, ClusterView } from '../../ports/cluster.ts';
import type { IncidentLog } from '../../ports/incident-log.ts';
import type { Locks } from '../../ports/locks.ts';
import type { PauseSwitch } from '../../ports/pause-switch.ts';
import type { JobQueue } from '../../ports/queue.ts';
import type { Vault } from '../../ports/vault.ts';
import type { Witness } from '../../ports/witness.ts';
import type { Gate } from './gate.ts';

/** Durations in milliseconds. */
export interface Settings {
  timing: Timing;
  /** How long a token may still be accepted after the kill before a person is called. */
  giveUpAfter: number;
  /** This process's own copy; bot and worker each check with theirs. */
  policy: Policy;
  autoContainPerHour: number;
  /** Of a roll-out; part of what is approved. */
  pace: Pace;
  /** Namespaces whose Secrets may be read to find a token by its hash, and copies of one, by cluster. */
  searchNamespaces: Record<string, string[]>;
  /** Names of all reporters, of whatever process: each owes a report of every event. */
  reporters: readonly string[];
}

export interface EngineLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The bot has no clusters: it could not touch one if it wanted to. */
export interface BotDeps {
  log: IncidentLog;
  vault: Vault;
  queue: JobQueue;
  locks: Locks;
  pause: PauseSwitch;
  clock: Clock;
  settings: Settings;
  logger: EngineLog;
  witness?: Witness;
}

/** Who looks cannot change a cluster: the compiler says so. */
export interface LookDeps extends BotDeps {
  /** Resolves early, without an error, when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Aborted when this process stops: a step that takes long leaves the rest to the next. */
  stopping: AbortSignal;
  /** For everything but kills: plans, probes and looks that many incidents at once would make the kills wait for. */
  unhurried: Gate;
  clusters: ReadonlyMap<string, ClusterView>;
  actions: readonly Action[];
}

export interface WorkerDeps extends LookDeps {
  clusters: ReadonlyMap<string, Cluster>;
}
