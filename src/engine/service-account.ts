// Reads a ServiceAccount with what a re-creation would need.
import type { ServiceAccountManifest, Situation } from '../domain/situation.ts';
import { type Cluster, type KubernetesObject, resources } from '../ports.ts';

interface ServiceAccount extends KubernetesObject {
  automountServiceAccountToken?: boolean;
  imagePullSecrets?: { name: string }[];
}

export async function readServiceAccount(
  cluster: Cluster,
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

const APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** No UID, no token references: those belong to the old identity. */
function manifestOf(found: ServiceAccount): ServiceAccountManifest {
  const { name, labels, annotations = {} } = found.metadata;
  const { [APPLIED]: _, ...kept } = annotations;
  const { automountServiceAccountToken, imagePullSecrets } = found;
  return {
    metadata: {
      name,
      ...(labels ? { labels } : {}),
      ...(Object.keys(kept).length > 0 ? { annotations: kept } : {}),
    },
    ...(automountServiceAccountToken === undefined ? {} : { automountServiceAccountToken }),
    ...(imagePullSecrets ? { imagePullSecrets } : {}),
  };
}
