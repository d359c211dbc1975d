// Whether a Secret refuses the token in hand only because that is an altered copy of the one it holds. Looked at and forgotten.
import { isAlteredCopy } from '../../domain/token/altered-copy.ts';
import type { ClusterView, KubernetesObject, ObjectRef } from '../../ports/cluster.ts';
import type { Secret } from '../../secret.ts';

export async function holdsAltered(cluster: ClusterView, ref: ObjectRef, token: Secret): Promise<boolean> {
  const found = await cluster.get<KubernetesObject & { data?: { token?: string } }>(ref);
  const stored = Buffer.from(found?.data?.token ?? '', 'base64').toString();
  return isAlteredCopy(token.reveal(), stored);
}
