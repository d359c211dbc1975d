// A cluster as one person may use it, with the kubeconfig that kubectl would take: what they may not do, the API server refuses.
import { stringify } from 'yaml';
import type { ClusterConfig } from '../../config/file-schema.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { Secret } from '../../secret.ts';
import { openConnections } from './connections.ts';
import { reviewSelf } from './identity.ts';
import { type Access, loadAccess, withoutFinalSlash } from './kube-config.ts';
import { createObjects } from './objects.ts';
import { createApi } from './request.ts';
import { requestToken, type TokenRequestSpec } from './token-request.ts';

export interface PersonalCluster extends Pick<Cluster, 'get' | 'create' | 'remove'> {
  /** The API server that the context names. */
  server: string;
  /** The user name as the API server answers it. */
  whoAmI(): Promise<string>;
  requestToken(
    of: { namespace: string; serviceAccount: string },
    spec: TokenRequestSpec,
  ): Promise<{ token: Secret; expiresAt: string }>;
  /** Holds the value. */
  kubeconfigWith(token: Secret, user: { name: string; namespace: string }): string;
  close(): Promise<void>;
}

/** Throws AppError `bad-config`. */
export function connectAsPerson(config: ClusterConfig): PersonalCluster {
  const access = loadAccess(config);
  const connections = openConnections(access);
  const api = createApi(config.name, access, connections, config.timeout, undefined, 'person');
  const { get, create, remove } = createObjects(api);
  return {
    server: access.server,
    get,
    create,
    remove,
    whoAmI: () => reviewSelf(api),
    requestToken: (of, spec) => requestToken(api, of, spec),
    kubeconfigWith: (token, user) => kubeconfigWith(access, config.name, token, user),
    close: connections.close,
  };
}

function kubeconfigWith(
  access: Access,
  context: string,
  token: Secret,
  { name, namespace }: { name: string; namespace: string },
): string {
  const { server, proxy } = access;
  const [authority, tlsName] = [access.authority(), access.tlsName(server)];
  const cluster = {
    server,
    ...(authority && { 'certificate-authority-data': Buffer.from(String(authority)).toString('base64') }),
    ...(tlsName && { 'tls-server-name': tlsName }),
    ...(proxy && { 'proxy-url': withoutLogin(proxy) }),
  };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': context,
    clusters: [{ name: context, cluster }],
    users: [{ name, user: { token: token.reveal() } }],
    contexts: [{ name: context, context: { cluster: context, user: name, namespace } }],
  });
}

/** The way to the cluster is the same for everybody; the login of the proxy is this person's own. */
function withoutLogin(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  return withoutFinalSlash(url.href);
}
