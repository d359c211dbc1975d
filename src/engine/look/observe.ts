// Reads everything that a person needs to decide on one cluster; what cannot be read is said, and stops nothing else.
import { resources } from '../../domain/kubernetes/resources.ts';
import { driftWarnings } from '../../domain/plan/drift.ts';
import { type BindingLike, bindingFacts } from '../../domain/situation/bindings.ts';
import { blastRadius, type RoleLike } from '../../domain/situation/blast-radius.ts';
import { heeded, judgeLiveness } from '../../domain/situation/judge-liveness.ts';
import type { Situation } from '../../domain/situation/situation.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';
import { isAppError } from '../../errors.ts';
import type { ClusterView, KubernetesObject } from '../../ports/cluster.ts';
import { readConsumers, readUsers } from './consumers.ts';
import { readCopies, type Search } from './copies.ts';
import { readBound } from './read-liveness.ts';
import { readServiceAccount } from './service-account.ts';
import { markUsed, readTokenSecrets, withOwners } from './token-secrets.ts';
import { type TryToRead, tryingToRead } from './try-to-read.ts';

/** Throws AppError where what a plan needs could not be read: the ServiceAccount, or, for now, the objects of the kill. */
export async function observe(
  cluster: ClusterView,
  identity: TokenIdentity,
  nowMs: number,
  search: Search,
): Promise<Situation> {
  const unread: string[] = [];
  const tryToRead = tryingToRead(unread);
  const essential = essentially(tryToRead);
  const { namespace, serviceAccount } = identity;
  const account = await readServiceAccount(cluster, namespace, serviceAccount.name);
  const [servers, tokenSecrets, boundObject, listed, power, self] = await Promise.all([
    tryToRead('API servers', [], async () => (await cluster.servers()).servers),
    essential('token Secrets', async () =>
      withOwners(cluster, namespace, await readTokenSecrets(cluster, identity), tryToRead),
    ),
    essential('bound object', () => readBound(cluster, identity)),
    readConsumers(cluster, namespace, tryToRead),
    tryToRead('role bindings', null, () => readPower(cluster, namespace, serviceAccount.name)),
    tryToRead('own identity', '', () => cluster.self()),
  ]);
  const around = { identity, uid: account?.uid, tokenSecrets: tokenSecrets ?? [], listed, now: nowMs };
  const [copies, consumers] = await Promise.all([
    readCopies(cluster, around, search),
    readUsers(cluster, { identity, account, tokenSecrets: tokenSecrets ?? [], listed }, tryToRead),
  ]);
  const facts = { serviceAccount: account, tokenSecrets, boundObject };
  return {
    cluster: cluster.name,
    observedAt: new Date(nowMs).toISOString(),
    servers,
    serviceAccount: account,
    tokenSecrets: markUsed(tokenSecrets ?? [], listed, account),
    boundObject: boundObject ?? null,
    liveness: heeded(judgeLiveness(identity, facts, nowMs), servers),
    ...consumers,
    radius: power?.radius ?? {
      tier: 'unknown',
      lines: ['the role bindings could not be read'],
      bindings: [],
    },
    bindings: power?.bindings ?? [],
    copies,
    warnings: driftWarnings(identity, facts),
    unread,
    self: self === `system:serviceaccount:${namespace}:${serviceAccount.name}`,
  };
}

/** The kill is planned from these: what may be readable a moment later is asked again instead of planned without. */
const essentially =
  (tryToRead: TryToRead) =>
  <T>(what: string, read: () => Promise<T>): Promise<T | undefined> =>
    read().catch((error: unknown) => {
      if (!isAppError(error) || error.retry) throw error;
      return tryToRead(what, undefined, () => Promise.reject(error));
    });

type Binding = KubernetesObject & BindingLike;
type Role = KubernetesObject & RoleLike;

async function readPower(cluster: ClusterView, namespace: string, name: string) {
  const [clusterRoles, roles, clusterRoleBindings, roleBindings] = await Promise.all([
    cluster.list<Role>({ resource: resources.clusterRoles }),
    cluster.list<Role>({ resource: resources.roles }),
    cluster.list<Binding>({ resource: resources.clusterRoleBindings }),
    cluster.list<Binding>({ resource: resources.roleBindings }),
  ]);
  return {
    radius: blastRadius(namespace, name, { clusterRoles, roles, clusterRoleBindings, roleBindings }),
    bindings: bindingFacts(namespace, name, [...clusterRoleBindings, ...roleBindings]),
  };
}
