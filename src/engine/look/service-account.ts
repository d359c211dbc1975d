// Reads a ServiceAccount with what a re-creation would need.
import { resources } from '../../domain/kubernetes/resources.ts';
import { manifestOf } from '../../domain/situation/carried.ts';
import type { Situation } from '../../domain/situation/situation.ts';
import type { ClusterView, KubernetesObject } from '../../ports/cluster.ts';

interface ServiceAccount extends KubernetesObject {
  automountServiceAccountToken?: boolean;
  imagePullSecrets?: { name?: string }[];
  secrets?: { name?: string }[];
}

export async function readServiceAccount(
  cluster: ClusterView,
  namespace: string,
  name: string,
): Promise<Situation['serviceAccount']> {
  const found = await cluster.get<ServiceAccount>({ resource: resources.serviceAccounts, namespace, name });
  if (found === null) return null;
  const { uid, deletionTimestamp, finalizers = [] } = found.metadata;
  return {
    name,
    uid,
    deleting: deletionTimestamp !== undefined,
    ...(deletionTimestamp ? { deletionTimestamp } : {}),
    finalizers,
    manifest: manifestOf(found),
  };
}
