// Turns coordinates that a person or an alert gave into an identity: does it exist, where, and is it unambiguous?
import { SERVICE_ACCOUNT_NAME } from '../../domain/kubernetes/legacy-token-labels.ts';
import { nearest } from '../../domain/kubernetes/near.ts';
import { resources } from '../../domain/kubernetes/resources.ts';
import type { Coordinates, TokenIdentity } from '../../domain/token/identity.ts';
import { type AppError, isAppError } from '../../errors.ts';
import type { ClusterView, KubernetesObject } from '../../ports/cluster.ts';
import type { Clusters } from './identified.ts';

type Located = { identity: TokenIdentity } | { unidentified: string; near: string[] };

export async function locate(clusters: Clusters, at: Coordinates): Promise<Located> {
  if (at.cluster !== undefined && !clusters.has(at.cluster)) {
    const names = [...clusters.keys()];
    return {
      unidentified: `There is no cluster named ${at.cluster} in the configuration (${names.join(', ')}).`,
      near: nearest(at.cluster, names),
    };
  }
  const candidates = [...clusters.values()].filter(
    ({ name }) => at.cluster === undefined || name === at.cluster,
  );
  const looks = await Promise.all(candidates.map((cluster) => look(cluster, at)));
  const found = looks.flatMap((seen) => ('identity' in seen ? [seen] : []));
  if (found.length === 1 && found[0]) return withSilent(found[0].identity, looks);
  if (found.length > 1)
    return {
      unidentified: 'It exists on more than one cluster: name the one that is meant.',
      near: found.map(
        ({ identity }) => `${identity.clusters[0]}/${at.namespace}/${identity.serviceAccount.name}`,
      ),
    };
  return nothing(
    at,
    looks.flatMap((seen) => ('identity' in seen ? [] : [seen])),
  );
}

/** It may exist there too, as on a copy of the cluster. */
function withSilent(identity: TokenIdentity, looks: ({ identity: TokenIdentity } | Missing)[]): Located {
  const unchecked = looks.flatMap((seen) => ('problem' in seen ? [seen.cluster] : []));
  return { identity: unchecked.length > 0 ? { ...identity, unchecked } : identity };
}

interface Missing {
  cluster: string;
  near: string[];
  problem?: AppError;
}

function nothing(at: Coordinates, looks: Missing[]): Located {
  const problem = looks.find((seen) => seen.problem)?.problem;
  if (problem) throw problem;
  const what =
    at.secret === undefined
      ? `ServiceAccount ${at.namespace}/${at.serviceAccount}`
      : `token Secret ${at.namespace}/${at.secret}`;
  return {
    unidentified: `There is no ${what} on ${looks.map(({ cluster }) => cluster).join(', ')}.`,
    near: looks.flatMap(({ cluster, near }) => near.map((name) => `${cluster}/${name}`)),
  };
}

async function look(cluster: ClusterView, at: Coordinates): Promise<{ identity: TokenIdentity } | Missing> {
  try {
    const serviceAccount =
      at.secret === undefined ? at.serviceAccount : await ownerOf(cluster, at.namespace, at.secret);
    if (serviceAccount === undefined) return { cluster: cluster.name, near: await nearSecrets(cluster, at) };
    const ref = { resource: resources.serviceAccounts, namespace: at.namespace, name: serviceAccount };
    const object = await cluster.get(ref, { metadataOnly: true });
    if (object === null)
      return {
        cluster: cluster.name,
        near: await nearServiceAccounts(cluster, at.namespace, serviceAccount),
      };
    return { identity: identityAt(cluster.name, at, { name: serviceAccount, uid: object.metadata.uid }) };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { cluster: cluster.name, near: [], problem: error };
  }
}

export function identityAt(
  cluster: string,
  at: Coordinates,
  serviceAccount: { name: string; uid: string },
): TokenIdentity {
  return {
    kind: at.secret === undefined ? 'every-token' : 'legacy',
    clusters: [cluster],
    namespace: at.namespace,
    serviceAccount,
    ...(at.secret === undefined ? {} : { boundTo: { kind: 'Secret' as const, name: at.secret } }),
    ...(at.jti === undefined ? {} : { jti: at.jti }),
    audiences: [],
    authenticity: 'coordinates',
  };
}

async function ownerOf(cluster: ClusterView, namespace: string, secret: string): Promise<string | undefined> {
  const found = await cluster.get(
    { resource: resources.secrets, namespace, name: secret },
    { metadataOnly: true },
  );
  return found?.metadata.annotations?.[SERVICE_ACCOUNT_NAME];
}

/** Names like it in the same namespace, or namespaces like it. As `namespace/name`. */
export async function nearServiceAccounts(
  cluster: ClusterView,
  namespace: string,
  name: string,
): Promise<string[]> {
  const exists = await cluster.get(
    { resource: resources.namespaces, name: namespace },
    { metadataOnly: true },
  );
  if (exists !== null) {
    const there = await cluster.list({ resource: resources.serviceAccounts, namespace, metadataOnly: true });
    return nearest(name, names(there)).map((near) => `${namespace}/${near}`);
  }
  const namespaces = await cluster.list({ resource: resources.namespaces, metadataOnly: true });
  return nearest(namespace, names(namespaces)).map((near) => `${near}/${name}`);
}

async function nearSecrets(cluster: ClusterView, { namespace, secret = '' }: Coordinates): Promise<string[]> {
  const there = await cluster
    .list({ resource: resources.secrets, namespace, metadataOnly: true })
    .catch((): KubernetesObject[] => []);
  const tokens = there.filter(({ metadata }) => metadata.annotations?.[SERVICE_ACCOUNT_NAME] !== undefined);
  return nearest(secret, names(tokens)).map((near) => `${namespace}/${near}`);
}

const names = (objects: KubernetesObject[]): string[] => objects.map(({ metadata }) => metadata.name);
