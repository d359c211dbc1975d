// The append-only log of incidents, which is their truth.
import type { EventBody, IncidentEvent } from '../domain/incident/events.ts';
import type { Secret } from '../secret.ts';

export interface LoadedIncident {
  /** All of them, or those that follow what is known. */
  events: IncidentEvent[];
  /** How far each reporter has reported, by name. */
  cursors: Record<string, number>;
  /** Keyed hash that ends the chain. */
  head: string;
  /** Repeats that were only counted since one was last written down. */
  repeats?: number;
}

/** A finding that is known: the incident that holds its key, and whether it was only counted there, which is all then. */
export interface Recognised {
  by: string;
  counted: boolean;
}

export interface AppendRequest {
  id: string;
  /** Version of the last event that the caller has seen; 0 opens a new incident. */
  expected: number;
  events: EventBody[];
  /** MAC of the last event seen; '' for a new incident. */
  head: string;
  /** Dedupe keys to take for this incident; `from` is the incident that holds it now, null for nobody. */
  claim?: { key: string; from: string | null }[];
  /** Seal this token beside the log, for `ttlMs`. */
  seal?: { token: Secret; ttlMs: number };
  /** Take one from each of these sliding-window budgets, or append nothing. */
  budgets?: Budget[];
  /** Unix milliseconds of the last event that the caller has seen: none is written with an earlier time. */
  notBefore?: number;
  /** Counted repeats that these events write down. */
  repeats?: number;
  /** Names by which `about` finds this incident. */
  about?: string[];
}

export interface Budget {
  name: string;
  limit: number;
  windowMs: number;
  /** What is counted, each once; absent: every append. */
  member?: string;
}

export type AppendResult =
  | { kind: 'appended'; events: IncidentEvent[]; head: string }
  /** Somebody else appended first: load again. */
  | { kind: 'conflict' }
  /** A claimed key belongs to another incident. */
  | { kind: 'held'; by: string; key: string }
  /** Name of the budget that is used up. */
  | { kind: 'over-budget'; budget: string };

/** Append-only events per incident, compare-and-set, chained by a keyed hash. Throws AppError `store-unavailable`. */
export interface IncidentLog {
  /** Each event is durable when this resolves. The incident is put on the list of those to sweep. */
  append(request: AppendRequest): Promise<AppendResult>;
  load(id: string): Promise<LoadedIncident | undefined>;
  /** What follows the event of this version and MAC, which was loaded before; undefined: it is not in the log any more. */
  loadAfter(id: string, version: number, head: string): Promise<LoadedIncident | undefined>;
  /** Who holds this dedupe key; counts what was said where just this is to be only counted. */
  recognise(key: string, said: string): Promise<Recognised | undefined>;
  /** Counts it, and from now on what says the same, for so long and until something is appended. */
  quiet(id: string, version: number, said: string, forMs: number): Promise<void>;
  /** The incident that holds a dedupe key. */
  find(key: string): Promise<string | undefined>;
  /** Incidents that were appended under this name in the last 30 days, newest first. */
  about(name: string): Promise<string[]>;
  /** Newest first. */
  list(limit: number): Promise<string[]>;
  /** How many events each of these has, in one round trip; 0 for one that does not exist. */
  versions(ids: readonly string[]): Promise<number[]>;
  /** Incidents that may owe work. */
  toSweep(): Promise<string[]>;
  /** Nothing is owed as of this version: stop sweeping it, unless something was appended or reported since. */
  settle(id: string, version: number, cursors: Record<string, number>): Promise<void>;
  /** A reporter has shown everything up to `version`. Answers how far it has shown by now: more, where another process did. */
  advance(reporter: string, id: string, version: number): Promise<number>;
}
