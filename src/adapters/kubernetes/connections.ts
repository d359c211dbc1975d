// Keeps one connection pool per cluster, because a TLS handshake costs more than the kill, and makes connections of their own where reuse would spoil the proof.
import { isDeepStrictEqual } from 'node:util';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Access, TlsOptions } from './kube-config.ts';

export interface Connections {
  /** The kept pool, authenticating with the worker's credential. */
  kept(): Promise<{ dispatcher: Dispatcher; headers: Record<string, string> }>;
  /** A pool to be destroyed after one request, authenticating with the worker's credential. */
  fresh(address: string): Promise<{ dispatcher: Dispatcher; headers: Record<string, string> }>;
  /** A pool to be destroyed after one request, which verifies the server and carries no credential at all. */
  bare(address: string): Dispatcher;
  /** Do not use this kept pool again: a request on it got no answer, so its connection may be dead. */
  abandon(dispatcher: Dispatcher): void;
  close(): Promise<void>;
}

const HOUR = 3_600_000;
const PING_EVERY = 30_000;
/** For servers without HTTP/2, where one connection carries one request at a time. */
const MAX_CONNECTIONS = 16;

export function openConnections(access: Access): Connections {
  let current: { dispatcher: Dispatcher; tls: TlsOptions } | undefined;
  const abandon = (dispatcher: Dispatcher): void => {
    if (current?.dispatcher === dispatcher) current = undefined;
    // Requests under way on it end by themselves, at their deadlines at the latest.
    dispatcher.close().catch(() => undefined);
  };
  return {
    abandon,
    async kept() {
      const { headers, tls } = await access.credential();
      if (current && !isDeepStrictEqual(current.tls, tls)) abandon(current.dispatcher);
      current ??= { dispatcher: pool(access, access.server, tls), tls };
      return { dispatcher: current.dispatcher, headers };
    },
    async fresh(address) {
      const { headers, tls } = await access.credential();
      return { dispatcher: pool(access, address, tls), headers };
    },
    bare: (address) => pool(access, address, { ca: access.authority() }),
    async close() {
      await current?.dispatcher.destroy();
      current = undefined;
    },
  };
}

function pool(access: Access, address: string, { ca, cert, key }: TlsOptions): Dispatcher {
  const servername = access.tlsName(address);
  const tls = {
    rejectUnauthorized: true,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(servername !== undefined && { servername }),
  };
  const options = {
    allowH2: true,
    connections: MAX_CONNECTIONS,
    keepAliveTimeout: HOUR,
    keepAliveMaxTimeout: HOUR,
    h2Options: { pingInterval: PING_EVERY },
  };
  if (access.proxy !== undefined) return new ProxyAgent({ uri: access.proxy, requestTls: tls, ...options });
  return new Agent({ connect: tls, ...options });
}
