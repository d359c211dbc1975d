// One configured Kubernetes cluster, as the worker sees it: what may be read, what may be tried, and what may be changed.
import type { OwnerReference } from '../domain/kubernetes/objects.ts';
import type { Resource } from '../domain/kubernetes/resources.ts';
import type { SecretContent } from '../domain/situation/copies.ts';
import type { ApiServer } from '../domain/situation/situation.ts';
import type { Secret } from '../secret.ts';

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
 * What may be read of one configured cluster: nothing here changes anything. Every call has a deadline and throws AppError:
 * `not-found` (404; get() answers null instead), `conflict` (409: precondition, version or already exists),
 * `does-not-apply` (a JSON Patch whose test failed, or whose path is not there), `invalid` (400 and 422 otherwise),
 * `denied` (admission, whichever its status; the message names who, in their words, and where to look), `forbidden` (403 by
 * RBAC, naming verb and resource), `unauthorized` (401: the worker's own credential), `throttled` (429, retryAfterMs),
 * `timeout`, `unreachable` (retry true). Messages never hold bodies or headers, but for those words: scrubbed, one line, cut.
 */
export interface ClusterView {
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
  /** Whether the worker itself may do this, by a SelfSubjectAccessReview; undefined: no answer was given. Throws as `get` does. */
  may(attributes: Record<string, string>): Promise<boolean | undefined>;
  /** The worker's own identity here: `system:serviceaccount:ns:name` or a user name. */
  self(): Promise<string>;
}

/** What may be tried, with the same errors. */
export interface ClusterTrial extends ClusterView {
  /**
   * Creating and patching by server-side dry run: everything but keeping it, admission and quotas included. Calls of their own, so
   * that nobody between here and there can make a write in earnest of one by forgetting an option.
   */
  tryCreate(ref: Omit<ObjectRef, 'name'>, body: unknown): Promise<void>;
  tryPatch(ref: ObjectRef, patch: JsonPatch): Promise<void>;
}

/** One configured cluster, as the worker may change it. Errors as above. */
export interface Cluster extends ClusterTrial {
  create<T extends KubernetesObject>(ref: Omit<ObjectRef, 'name'>, body: unknown): Promise<T>;
  /** application/json-patch+json; answers PartialObjectMetadata, never data. */
  patch(ref: ObjectRef, patch: JsonPatch): Promise<KubernetesObject>;
  /** Answers the object's metadata where the deletion is graceful, null where it is gone; 404 is `not-found`. */
  remove(ref: ObjectRef, options: DeleteOptions): Promise<void>;
  /** Removes a Pod as far as PodDisruptionBudgets let it: `throttled` where they do not now, `conflict` for another UID. */
  evict(pod: { namespace: string; name: string }, options: { uid: string }): Promise<void>;
}
