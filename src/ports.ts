// What the engine and the plug-ins need from the outside world; adapters implement these, tests put fakes behind them.

import type { EventBody, IncidentEvent } from './domain/incident/events.ts';
import type { Incident, Pause, WorkKind } from './domain/incident/incident.ts';
import type { OwnerReference } from './domain/kubernetes/objects.ts';
import type { Resource } from './domain/kubernetes/resources.ts';
import type { SecretContent } from './domain/situation/copies.ts';
import type { ApiServer } from './domain/situation/situation.ts';
import type { Secret } from './secret.ts';

// ---- Kubernetes -------------------------------------------------------------------------------------------------

export { type Resource, resources, workloadResources } from './domain/kubernetes/resources.ts';

export interface ObjectRef {
  resource: Resource;
  namespace?: string;
  name: string;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: { manager?: string; operation?: string; time?: string }[];
}

export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

export interface ListQuery {
  resource: Resource;
  /** Absent: all namespaces. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Ask for PartialObjectMetadata, so that no value (Secret data) comes back. */
  metadataOnly?: boolean;
}

/** RFC 6902, the operations that are used. */
export type JsonPatch = (
  | { op: 'test' | 'add' | 'replace'; path: string; value: unknown }
  | { op: 'remove'; path: string }
)[];

export interface DeleteOptions {
  uid?: string;
  resourceVersion?: string;
  gracePeriodSeconds?: number;
}

/**
 * One configured cluster, as the worker sees it. Every call has a deadline and throws AppError:
 * `not-found` (404; get() answers null instead), `conflict` (409: precondition, version or already exists),
 * `does-not-apply` (a JSON Patch whose test failed, or whose path is not there), `invalid` (400 and 422 otherwise),
 * `denied` (admission, whichever its status; the message names who, in their words, and where to look), `forbidden` (403 by
 * RBAC, naming verb and resource), `unauthorized` (401: the worker's own credential), `throttled` (429, retryAfterMs),
 * `timeout`, `unreachable` (retry true). Messages never hold bodies or headers, but for those words: scrubbed, one line, cut.
 */
export interface Cluster {
  readonly name: string;
  /**
   * Is the token signed by this cluster? Offline, against its cached JWKS. `refresh`: fetch it first where it is older than
   * ten seconds or does not have the key, which `cached` never does: `unknown` where a key that is newer than the cache may have signed it.
   */
  signed(token: Secret, mode: 'cached' | 'refresh'): Promise<'signed' | 'not-signed' | 'unknown'>;
  /** Whether its JWKS, fetched first where it is older than ten seconds, has a key of this id. Never throws. */
  shows(keyId: string): Promise<'shown' | 'hidden' | 'unknown'>;
  get<T extends KubernetesObject>(ref: ObjectRef, options?: { metadataOnly?: boolean }): Promise<T | null>;
  /** Follows `continue` to the end; restarts once on 410. */
  list<T extends KubernetesObject>(query: ListQuery): Promise<T[]>;
  /**
   * Looks into the Secrets of a namespace, values and all, page by page. Only what `look` makes of each leaves here; the
   * objects are forgotten. Throws as `list` does.
   */
  searchSecrets<T>(
    where: { namespace: string; fieldSelector?: string },
    look: (secret: SecretContent) => T[],
  ): Promise<T[]>;
  create<T extends KubernetesObject>(ref: Omit<ObjectRef, 'name'>, body: unknown): Promise<T>;
  /** application/json-patch+json; answers PartialObjectMetadata, never data. */
  patch(ref: ObjectRef, patch: JsonPatch): Promise<KubernetesObject>;
  /**
   * The same two by server-side dry run: everything but keeping it, admission and quotas included. Calls of their own, so
   * that nobody between here and there can make a write in earnest of one by forgetting an option.
   */
  tryCreate(ref: Omit<ObjectRef, 'name'>, body: unknown): Promise<void>;
  tryPatch(ref: ObjectRef, patch: JsonPatch): Promise<void>;
  /** Answers the object's metadata where the deletion is graceful, null where it is gone; 404 is `not-found`. */
  remove(ref: ObjectRef, options: DeleteOptions): Promise<void>;
  /** Removes a Pod as far as PodDisruptionBudgets let it: `throttled` where they do not now, `conflict` for another UID. */
  evict(pod: { namespace: string; name: string }, options: { uid: string }): Promise<void>;
  /** Every API server address known, by configuration or EndpointSlice default/kubernetes, with versions. Cached for a minute. */
  servers(): Promise<{
    servers: ApiServer[] /** whether the list is complete, so that proof may say "each server" */;
    each: boolean;
  }>;
  /** POST selfsubjectreviews with this token over a fresh connection, TLS verified. Never throws: `seen` says what happened. */
  probe(
    address: string,
    token: Secret,
  ): Promise<{ answer: 'refused' | 'accepted' | 'inconclusive'; seen: string }>;
  /** TokenReview with these audiences, by the worker's credential, over a fresh connection. Never throws. */
  review(
    address: string,
    token: Secret,
    audiences: string[],
  ): Promise<{ answer: 'refused' | 'accepted' | 'inconclusive'; seen: string }>;
  /** A ServiceAccount token of this cluster other than the leaked one, for control requests; null where none is to be had. */
  control(): Promise<{ token: Secret; audiences: string[] } | null>;
  /** The worker's own identity here: `system:serviceaccount:ns:name` or a user name. */
  self(): Promise<string>;
}

// ---- The incident log -------------------------------------------------------------------------------------------

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

/** Sealed tokens. */
export interface Vault {
  open(id: string): Promise<Secret | undefined>;
  destroy(id: string): Promise<void>;
  /** Keyed fingerprint, for dedupe and comparison; the same for the bot and the worker. */
  fingerprint(token: Secret): string;
}

/** Makes sure that one thing at a time is done by one process at a time. */
export interface Locks {
  /** Undefined: somebody else holds it. Lapses by itself after `ttlMs`, should the holder die. */
  take(name: string, ttlMs: number): Promise<Held | undefined>;
}

export interface Held {
  /** False as soon as it may have lapsed, as after a process was stopped for long; asks nobody. */
  held(): boolean;
  release(): Promise<void>;
}

/** Stops everything that writes to clusters, until somebody lets it go on. Throws AppError `store-unavailable`. */
export interface PauseSwitch {
  /** Undefined: not paused. */
  read(): Promise<Pause | undefined>;
  write(pause: Pause | undefined): Promise<void>;
}

// ---- The queue --------------------------------------------------------------------------------------------------

export interface Work {
  /** Unique for this very attempt; adding it twice is one job. No colon. */
  id: string;
  kind: WorkKind;
  incidentId: string;
  /** Unix milliseconds; in the past = now. */
  at: number;
}

export interface JobQueue {
  /** `late`: it is owed by now, so what is in the queue for later already is let go at once. */
  add(work: Work[], late?: 'late'): Promise<void>;
}

/** Questions that the bot asks the worker, who alone may look at clusters. */
export type Question =
  | { ask: 'find-service-account'; cluster?: string; namespace: string; name: string }
  /** Which strategies fit, best first; none where the ServiceAccount is not there. */
  | { ask: 'ways-to-rotate'; cluster?: string; namespace: string; name: string }
  | { ask: 'list-namespaces'; cluster: string }
  | { ask: 'list-service-accounts'; cluster: string; namespace: string };

export interface Answer {
  /** find-service-account: clusters that have it. The list questions: the names. */
  found: string[];
  /** Near matches of a name that was not found, best first. */
  near: string[];
  /** Why something could not be looked at; empty where all was. */
  problems: string[];
}

export interface Desk {
  /** Throws AppError `timeout` when no worker answers within the deadline. */
  ask(question: Question, deadlineMs: number): Promise<Answer>;
}

export interface Clock {
  /** Unix milliseconds. */
  now(): number;
}

/** Shows incidents to people. */
export interface Reporter {
  readonly name: string;
  /** Bring everything shown up to date with the incident; returns the version that is now shown. Throws AppError where it must be retried. */
  report(incident: Incident, events: IncidentEvent[], cursor: number, head: string): Promise<number>;
}
