// Which clusters have what a token names, where its signature says nothing: by UID, and by the value in its Secret.
import { resources } from '../../domain/kubernetes/resources.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';
import { type AppError, isAppError } from '../../errors.ts';
import type { ClusterView, KubernetesObject } from '../../ports/cluster.ts';
import type { Secret } from '../../secret.ts';

/**
 * token: its Secret holds this very token; secret: there is a Secret of its name; account: there is its ServiceAccount,
 * with its UID; nothing: no ServiceAccount of that UID. Unknown where one of these could not be read.
 */
export type Holding =
  | { has: 'token' | 'secret' | 'account' | 'nothing' }
  | { has: 'unknown'; problem: AppError };

type Named = Pick<TokenIdentity, 'kind' | 'namespace' | 'serviceAccount' | 'boundTo'>;

export async function whatItHolds(
  cluster: ClusterView,
  named: Named,
  token: Secret | undefined,
): Promise<Holding> {
  const { namespace, serviceAccount } = named;
  const ref = { resource: resources.serviceAccounts, namespace, name: serviceAccount.name };
  try {
    const [account, secret] = await Promise.all([
      cluster.get(ref, { metadataOnly: true }),
      inSecret(cluster, named, token).catch(asProblem),
    ]);
    if (account === null || account.metadata.uid !== serviceAccount.uid) return { has: 'nothing' };
    return isAppError(secret) ? { has: 'unknown', problem: secret } : { has: secret };
  } catch (error) {
    return { has: 'unknown', problem: asProblem(error) };
  }
}

function asProblem(error: unknown): AppError {
  if (!isAppError(error)) throw error;
  return error;
}

/** Values are compared and forgotten. */
async function inSecret(
  cluster: ClusterView,
  { kind, namespace, boundTo }: Named,
  token: Secret | undefined,
): Promise<'token' | 'secret' | 'account'> {
  if (kind !== 'legacy' || boundTo === undefined) return 'account';
  const ref = { resource: resources.secrets, namespace, name: boundTo.name };
  const found = await cluster.get<KubernetesObject & { data?: { token?: string } }>(ref, {
    metadataOnly: token === undefined,
  });
  if (found === null) return 'account';
  const value = Buffer.from(found.data?.token ?? '', 'base64').toString();
  return token !== undefined && value === token.reveal() ? 'token' : 'secret';
}
