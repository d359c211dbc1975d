// One configured Kubernetes cluster as the worker uses it: joins the parts of this folder behind the port.
import type { JSONWebKeySet } from 'jose';
import type { ClusterConfig } from '../../config/file-schema.ts';
import type { Cluster } from '../../ports/cluster.ts';
import { openConnections } from './connections.ts';
import { createIdentity } from './identity.ts';
import { createSignatureCheck } from './jwks.ts';
import { loadAccess } from './kube-config.ts';
import { createObjects } from './objects.ts';
import { createProbe } from './probe.ts';
import { createApi, type Watch } from './request.ts';
import { createReview } from './review.ts';
import { createServers } from './servers.ts';

export interface ConnectedCluster extends Cluster {
  /** Open the kept connection and load the signing keys, so that the first kill is the first request after it. Throws AppError. */
  warm(): Promise<void>;
  /**
   * Whether it answers and takes the worker's credential: the cheapest question there is. Throws AppError. Also loads the
   * signing keys where there are none or they are old, so that a leak finds them fresh; without them `signed` says so.
   */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Reads the kubeconfig at once and throws AppError `bad-config`; nothing is sent before the first call. */
export function connectCluster(
  config: ClusterConfig,
  options: { now?: () => number; watch?: Watch; open?: typeof openConnections } = {},
): ConnectedCluster {
  const now = options.now ?? Date.now;
  const access = loadAccess(config);
  const connections = (options.open ?? openConnections)(access);
  const api = createApi(config.name, access, connections, config.timeout, options.watch);
  const signatures = createSignatureCheck(
    () =>
      api.send<JSONWebKeySet>({
        verb: 'get',
        resource: '/openid/v1/jwks',
        path: '/openid/v1/jwks',
        // An API server has nothing else at this path: whoever wants plain JSON alone gets 406.
        accept: 'application/jwk-set+json',
      }),
    now,
  );
  return {
    name: config.name,
    signed: signatures.signed,
    shows: signatures.shows,
    warm: signatures.load,
    ping: async () => {
      await api.send({ verb: 'get', resource: '/version', path: '/version' });
      await signatures.keepFresh().catch(() => undefined);
    },
    close: connections.close,
    servers: createServers(config, access, api, now),
    probe: createProbe(connections, watchProbe(config.name, options.watch)),
    review: createReview(api),
    ...createObjects(api),
    ...createIdentity(config, access, api, now),
  };
}

const watchProbe =
  (cluster: string, watch: Watch = () => undefined) =>
  (code: string, ms: number): void =>
    watch({ cluster, verb: 'probe', resource: 'selfsubjectreviews', code, ms });
