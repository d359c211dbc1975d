// Reads everything that a person needs to decide on one cluster; what cannot be read is said, and stops nothing else.
import type { BindingLike, RoleLike } from '../domain/blast-radius.ts';
import { blastRadius } from '../domain/blast-radius.ts';
import { driftWarnings } from '../domain/drift.ts';
import { judgeLiveness } from '../domain/judge-liveness.ts';
import {
  INVALID_SINCE,
  LAST_USED,
  REPLACES,
  SERVICE_ACCOUNT_NAME,
  TOKEN_SECRET_TYPE,
} from '../domain/labels.ts';
import type { Situation, TokenSecretFact } from '../domain/situation.ts';
import type { TokenIdentity } from '../domain/token-identity.ts';
import { type AppError, isAppError } from '../errors.ts';
import { type Cluster, type KubernetesObject, resources } from '../ports.ts';
import { findConsumers, readConsumers } from './consumers.ts';
import { readServiceAccount } from './service-account.ts';

/** Runs a read; a failure becomes a line for people and the fallback. */
export type Attempt = <T>(what: string, fallback: T, read: () => Promise<T>) => Promise<T>;

/** Throws AppError where what a plan needs could not be read: the ServiceAccount, or, for now, the objects of the kill. */
export async function observe(cluster: Cluster, identity: TokenIdentity, nowMs: number): Promise<Situation> {
  const unread: string[] = [];
  const attempt: Attempt = async (what, fallback, read) => {
    try {
      return await read();
    } catch (error) {
      if (!isAppError(error)) throw error;
      unread.push(`${what}: ${(error as AppError).message}`);
      return fallback;
    }
  };
  // The kill is planned from these: what may be readable a moment later is asked again instead of planned without.
  const essential = <T>(what: string, read: () => Promise<T>): Promise<T | undefined> =>
    read().catch((error: unknown) => {
      if (!isAppError(error) || error.retry) throw error;
      return attempt(what, undefined, () => Promise.reject(error));
    });
  const { namespace, serviceAccount } = identity;
  const account = await readServiceAccount(cluster, namespace, serviceAccount.name);
  const [servers, tokenSecrets, boundObject, listed, radius, self] = await Promise.all([
    attempt('API servers', [], async () => (await cluster.servers()).servers),
    essential('token Secrets', () => readTokenSecrets(cluster, identity)),
    essential('bound object', () => readBound(cluster, identity)),
    readConsumers(cluster, namespace, attempt),
    attempt('role bindings', null, () => readRadius(cluster, namespace, serviceAccount.name)),
    attempt('own identity', '', () => cluster.self()),
  ]);
  const facts = { serviceAccount: account, tokenSecrets, boundObject };
  return {
    cluster: cluster.name,
    observedAt: new Date(nowMs).toISOString(),
    servers,
    serviceAccount: account,
    tokenSecrets: tokenSecrets ?? [],
    boundObject: boundObject ?? null,
    liveness: judgeLiveness(identity, facts, nowMs),
    ...findConsumers(listed, identity, tokenSecrets ?? []),
    radius: radius ?? { tier: 'unknown', lines: ['the role bindings could not be read'], bindings: [] },
    warnings: driftWarnings(identity, facts),
    unread,
    self: self === `system:serviceaccount:${namespace}:${serviceAccount.name}`,
  };
}

async function readTokenSecrets(cluster: Cluster, identity: TokenIdentity): Promise<TokenSecretFact[]> {
  const { namespace, serviceAccount, boundTo, kind } = identity;
  const secrets = await cluster.list({
    resource: resources.secrets,
    namespace,
    fieldSelector: `type=${TOKEN_SECRET_TYPE}`,
    metadataOnly: true,
  });
  const mine = secrets.filter(
    ({ metadata }) =>
      metadata.annotations?.[SERVICE_ACCOUNT_NAME] === serviceAccount.name ||
      (kind === 'legacy' && metadata.name === boundTo?.name),
  );
  const facts = mine.map(toFact);
  if (kind === 'legacy' && boundTo && !facts.some(({ name }) => name === boundTo.name))
    facts.push(...(await namesake(cluster, namespace, boundTo.name)));
  return facts.sort((a, b) => a.name.localeCompare(b.name));
}

/** A backup or a Secret operator may have put the old value back without the type, and it is accepted all the same. */
async function namesake(cluster: Cluster, namespace: string, name: string): Promise<TokenSecretFact[]> {
  const found = await cluster.get({ resource: resources.secrets, namespace, name }, { metadataOnly: true });
  return found ? [{ ...toFact(found), otherType: true }] : [];
}

function toFact({ metadata }: KubernetesObject): TokenSecretFact {
  const { name, uid, resourceVersion, creationTimestamp, labels, managedFields = [] } = metadata;
  const newestFirst = managedFields.toSorted((a, b) => (b.time ?? '').localeCompare(a.time ?? ''));
  const managers = newestFirst.flatMap(({ manager }) => manager ?? []);
  return {
    name,
    uid,
    resourceVersion,
    ...(creationTimestamp ? { createdAt: creationTimestamp } : {}),
    deleting: metadata.deletionTimestamp !== undefined,
    ...(metadata.annotations?.[REPLACES] ? { replaces: metadata.annotations[REPLACES] } : {}),
    ...(labels?.[INVALID_SINCE] ? { invalidSince: labels[INVALID_SINCE] } : {}),
    ...(labels?.[LAST_USED] ? { lastUsed: labels[LAST_USED] } : {}),
    hasLabels: Object.keys(labels ?? {}).length > 0,
    managers: [...new Set(managers)],
  };
}

/** Null: it does not exist. */
async function readBound(
  cluster: Cluster,
  { boundTo, namespace, kind }: TokenIdentity,
): Promise<Situation['boundObject']> {
  if (boundTo === undefined || kind === 'legacy') return null;
  const resource = { Pod: resources.pods, Secret: resources.secrets, Node: resources.nodes }[boundTo.kind];
  const ref = { resource, name: boundTo.name, ...(resource.namespaced ? { namespace } : {}) };
  const found = await cluster.get(ref, { metadataOnly: true });
  if (found === null) return null;
  const { uid, deletionTimestamp, ownerReferences } = found.metadata;
  const owner = ownerReferences?.find(({ controller }) => controller);
  return {
    kind: boundTo.kind,
    name: boundTo.name,
    uid,
    ...(deletionTimestamp ? { deletionTimestamp } : {}),
    ...(owner ? { owner: `${owner.kind}/${owner.name}` } : {}),
  };
}

type Binding = KubernetesObject & BindingLike;
type Role = KubernetesObject & RoleLike;

async function readRadius(cluster: Cluster, namespace: string, name: string) {
  const [clusterRoles, roles, clusterRoleBindings, roleBindings] = await Promise.all([
    cluster.list<Role>({ resource: resources.clusterRoles }),
    cluster.list<Role>({ resource: resources.roles }),
    cluster.list<Binding>({ resource: resources.clusterRoleBindings }),
    cluster.list<Binding>({ resource: resources.roleBindings }),
  ]);
  return blastRadius(namespace, name, { clusterRoles, roles, clusterRoleBindings, roleBindings });
}
