// Finds every API server of a cluster, because a token is only dead when each of them refuses it.
import { isIPv6 } from 'node:net';
import type { ClusterConfig } from '../../config/file-schema.ts';
import type { ApiServer } from '../../domain/situation/situation.ts';
import { isAppError } from '../../errors.ts';
import type { Cluster } from '../../ports/cluster.ts';
import { type Access, withoutFinalSlash } from './kube-config.ts';
import type { Api } from './request.ts';

const CACHED_FOR = 60_000;

type Servers = Awaited<ReturnType<Cluster['servers']>>;

interface EndpointSlices {
  items?: { endpoints?: { addresses?: string[] }[] | null; ports?: { port?: number }[] | null }[];
}

export function createServers(
  config: ClusterConfig,
  access: Access,
  api: Api,
  now: () => number,
): Cluster['servers'] {
  let cached: { at: number; servers: Promise<Servers> } | undefined;
  return () => {
    if (cached && now() - cached.at < CACHED_FOR) return cached.servers;
    const entry = { at: now(), servers: find(config, access, api) };
    entry.servers.catch(() => {
      if (cached === entry) cached = undefined;
    });
    cached = entry;
    return entry.servers;
  };
}

async function find(config: ClusterConfig, access: Access, api: Api): Promise<Servers> {
  const look = (addresses: string[]) => Promise.all(addresses.map((address) => readVersion(api, address)));
  if (config.apiServers)
    return { servers: await look(config.apiServers.map(({ url }) => withoutFinalSlash(url))), each: true };
  const servers = await look(await sliceAddresses(api));
  // An address that does not answer stays in the list, so that nobody claims "each" without it.
  if (servers.some(({ minor }) => minor !== null)) return { servers, each: true };
  return { servers: await look([access.server]), each: false };
}

async function sliceAddresses(api: Api): Promise<string[]> {
  try {
    const { items } = await api.send<EndpointSlices>({
      verb: 'list',
      resource: 'endpointslices',
      namespace: 'default',
      path: '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices',
      query: { labelSelector: 'kubernetes.io/service-name=kubernetes' },
    });
    const urls = (items ?? []).flatMap((slice) =>
      (slice.endpoints ?? []).flatMap(({ addresses }) =>
        (addresses ?? []).flatMap((address) => (slice.ports ?? []).map(({ port }) => toUrl(address, port))),
      ),
    );
    return [...new Set(urls)];
  } catch (error) {
    // Then the kubeconfig's own server is all that is known, and the proof says so.
    if (isAppError(error, 'forbidden', 'not-found', 'unsupported')) return [];
    throw error;
  }
}

const toUrl = (address: string, port = 443): string =>
  `https://${isIPv6(address) ? `[${address}]` : address}:${port}`;

async function readVersion(api: Api, address: string): Promise<ApiServer> {
  try {
    const { major, minor } = await api.sendTo<{ major?: string; minor?: string }>(address, {
      verb: 'get',
      resource: '/version',
      path: '/version',
    });
    // Some providers write "29+".
    const number = major === '1' ? Number.parseInt(minor ?? '', 10) : Number.NaN;
    return { address, minor: Number.isNaN(number) ? null : number };
  } catch {
    return { address, minor: null };
  }
}
