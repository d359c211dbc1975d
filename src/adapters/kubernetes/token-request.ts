// Asks an API server for a new token of a ServiceAccount.
import { Secret } from '../../secret.ts';
import { segment } from './objects.ts';
import type { Api } from './request.ts';

export interface TokenRequestSpec {
  expirationSeconds: number;
  audiences?: readonly string[];
  /** The token dies with it. */
  boundObjectRef?: { apiVersion: 'v1'; kind: 'Secret'; name: string; uid: string };
}

/** `expiresAt`: ISO time, which the server may set earlier than asked for. Throws AppError. */
export async function requestToken(
  api: Api,
  { namespace, serviceAccount: name }: { namespace: string; serviceAccount: string },
  spec: TokenRequestSpec,
): Promise<{ token: Secret; expiresAt: string }> {
  const { status } = await api.send<{ status: { token: string; expirationTimestamp?: string } }>({
    verb: 'create',
    resource: 'serviceaccounts/token',
    namespace,
    name,
    path: `/api/v1/namespaces/${segment(namespace)}/serviceaccounts/${segment(name)}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec },
  });
  return { token: new Secret(status.token), expiresAt: status.expirationTimestamp ?? '' };
}
