// The one function that talks to an API server with the worker's credential: JSON in, JSON or AppError out, within a deadline.
import { type Dispatcher, request } from 'undici';
import pkg from '../../../package.json' with { type: 'json' };
import { AppError, isAppError } from '../../errors.ts';
import type { Call } from './call.ts';
import type { Connections } from './connections.ts';
import { type Holder, networkError, statusError } from './failures.ts';
import type { Access } from './kube-config.ts';

export const USER_AGENT = `tourniquet/${pkg.version}`;

export interface Api {
  readonly cluster: string;
  /** Over the kept connection. Throws AppError as described at `Cluster`. */
  send<T>(call: Call): Promise<T>;
  /** To one address, over a connection of its own. */
  sendTo<T>(address: string, call: Call): Promise<T>;
}

/** One request and how it ended, for whoever counts; `code` is the HTTP status, or a word: `denied` by admission, or why there was no answer. */
export interface Seen {
  cluster: string;
  verb: Call['verb'] | 'probe';
  resource: string;
  code: string;
  ms: number;
}

export type Watch = (seen: Seen) => void;

const METHODS = { get: 'GET', list: 'GET', create: 'POST', patch: 'PATCH', delete: 'DELETE' } as const;

export function createApi(
  cluster: string,
  access: Access,
  connections: Connections,
  timeoutMs: number,
  watch: Watch = () => undefined,
  holder?: Holder,
): Api {
  async function run<T>(call: Call, address: string, open: () => Promise<Opened>): Promise<T> {
    const signal = AbortSignal.timeout(timeoutMs);
    const began = performance.now();
    let code = 'failed';
    let opened: Opened | undefined;
    try {
      opened = await within(signal, open());
      const { status, body, retryAfter } = await exchange(call, address, opened, signal);
      code = String(status);
      return read<T>({ cluster, call, address, holder }, status, body, retryAfter);
    } catch (error) {
      // A policy chooses its status, so a 403 or 401 of it is no want of a permission or a credential.
      if (isAppError(error, 'denied')) code = 'denied';
      if (error instanceof AppError) throw error;
      // A connection that died without saying so would swallow the next request too.
      if (signal.aborted && opened) connections.abandon(opened.dispatcher);
      const failure = networkError(cluster, call, address, error);
      code = failure.code;
      throw failure;
    } finally {
      const { verb, resource } = call;
      watch({ cluster, verb, resource, code, ms: performance.now() - began });
    }
  }
  return {
    cluster,
    send: (call) => run(call, access.server, () => connections.kept()),
    async sendTo(address, call) {
      let own: Dispatcher | undefined;
      try {
        return await run(call, address, async () => {
          const opened = await connections.fresh(address);
          own = opened.dispatcher;
          return opened;
        });
      } finally {
        await own?.destroy();
      }
    },
  };
}

interface Opened {
  dispatcher: Dispatcher;
  headers: Record<string, string>;
}

interface Exchanged {
  status: number;
  body: unknown;
  retryAfter: string | undefined;
}

async function exchange(
  call: Call,
  address: string,
  { dispatcher, headers }: Opened,
  signal: AbortSignal,
): Promise<Exchanged> {
  const query = new URLSearchParams(
    Object.entries(call.query ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined),
  ).toString();
  const response = await request(`${address}${call.path}${query && `?${query}`}`, {
    dispatcher,
    signal,
    method: METHODS[call.verb],
    headers: {
      ...headers,
      accept: call.accept ?? 'application/json',
      'user-agent': USER_AGENT,
      ...(call.body !== undefined && { 'content-type': call.contentType ?? 'application/json' }),
    },
    ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
  });
  return {
    status: response.statusCode,
    body: parse(await response.body.text()),
    retryAfter: String(response.headers['retry-after'] ?? '') || undefined,
  };
}

function read<T>(
  {
    cluster,
    call,
    address,
    holder,
  }: { cluster: string; call: Call; address: string; holder: Holder | undefined },
  status: number,
  body: unknown,
  retryAfter: string | undefined,
): T {
  if (status < 200 || status > 299) throw statusError(cluster, call, status, body, retryAfter, holder);
  if (typeof body !== 'object' || body === null)
    throw new AppError(
      'unreachable',
      `The answer of cluster ${cluster} at ${address} is not JSON, so it is not an API server's. Check what stands between.`,
      { retry: true },
    );
  return body as T;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Getting the credential may run an exec plug-in, which knows no deadline. */
function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([work, late]);
}
