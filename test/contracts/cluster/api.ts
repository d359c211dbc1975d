// Raw requests to an API server, as the administrator or with a token: no client library between the suites and the wire.
import { Agent, request } from 'undici';
import { vi } from 'vitest';
import { parse } from 'yaml';
import type { Subject } from './subject.ts';

export const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
export const METADATA_LIST = METADATA_ONLY.replace('Metadata;', 'MetadataList;');
export const JSON_PATCH = 'application/json-patch+json';
export const MERGE_PATCH = 'application/merge-patch+json';
export const STRATEGIC_PATCH = 'application/strategic-merge-patch+json';

type Labels = Record<string, string>;

export interface Meta {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Labels;
  annotations?: Labels;
  finalizers?: string[];
  ownerReferences?: { kind: string; name: string; uid: string; controller?: boolean }[];
  managedFields?: { manager: string; operation: string }[];
  /** Of lists. */
  continue?: string;
  remainingItemCount?: number;
}

export interface UserInfo {
  username: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

/** The fields that the suites look into, of whatever came back. */
export interface Body {
  kind: string;
  apiVersion?: string;
  metadata: Meta;
  items: Body[];
  type?: string;
  data?: Labels;
  keys?: { kid: string; kty: string; alg: string }[];
  issuer?: string;
  spec?: { nodeName?: string; serviceAccountName?: string; replicas?: number };
  /** Of an error. */
  reason?: string;
  message?: string;
  details?: object;
  code?: number;
  status?: {
    token?: string;
    expirationTimestamp?: string;
    authenticated?: boolean;
    audiences?: string[];
    error?: string;
    user?: UserInfo;
    userInfo?: UserInfo;
    allowed?: boolean;
    reason?: string;
    resourceRules?: object[];
    phase?: string;
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    availableReplicas?: number;
    conditions?: { type: string; status: string }[];
  };
}

export interface Reply {
  status: number;
  body: Body;
  contentType: string;
}

export interface Ask {
  body?: unknown;
  /** Of a body. */
  type?: string;
  accept?: string;
  /** Instead of the administrator's credential; null: none. */
  token?: string | null;
}

export interface WatchEvent {
  type: string;
  object: Body;
}

export interface Watching {
  events: WatchEvent[];
  ended: Promise<void>;
  stop(): void;
}

interface Access {
  server: string;
  ca: string;
  user: { token?: string; cert?: string; key?: string };
}

/** Of the kubeconfigs of both sides: one cluster, one user, everything in them. */
function accessOf(kubeconfig: string): Access {
  const config = parse(kubeconfig) as {
    clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
    users: { user: { token?: string; 'client-certificate-data'?: string; 'client-key-data'?: string } }[];
  };
  const [cluster, user] = [config.clusters[0]?.cluster, config.users[0]?.user];
  if (!cluster || !user) throw new Error('The kubeconfig names no cluster or no user.');
  const decode = (text: string): string => Buffer.from(text, 'base64').toString();
  const { token, 'client-certificate-data': cert, 'client-key-data': key } = user;
  return {
    server: cluster.server,
    ca: decode(cluster['certificate-authority-data']),
    user: token === undefined ? { cert: decode(cert ?? ''), key: decode(key ?? '') } : { token },
  };
}

export interface Api {
  subject: Subject;
  url: string;
  caPem: string;
  ask(method: string, path: string, ask?: Ask): Promise<Reply>;
  watch(path: string, query: Record<string, string>, accept?: string): Promise<Watching>;
  close(): Promise<void>;
}

export function openApi(subject: Subject): Api {
  const { server, ca, user } = accessOf(subject.kubeconfig);
  const admin = new Agent({ connect: { ca, ...('cert' in user && { cert: user.cert, key: user.key }) } });
  // A connection for each request: servers hang up on whoever sends a token that is refused.
  const other = new Agent({ connect: { ca }, allowH2: false, pipelining: 0 });
  const send = (method: string, path: string, { body, type, accept, token }: Ask, signal?: AbortSignal) => {
    const bearer = token === undefined ? user.token : token;
    return request(`${server}${path}`, {
      method: method as 'GET',
      dispatcher: token === undefined ? admin : other,
      headers: {
        accept: accept ?? 'application/json',
        'user-agent': 'conformance/1',
        ...(bearer && { authorization: `Bearer ${bearer}` }),
        ...(body !== undefined && { 'content-type': type ?? 'application/json' }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  };
  return {
    subject,
    url: server,
    caPem: ca,
    async ask(method, path, ask = {}) {
      const reply = await send(method, path, ask);
      const text = await reply.body.text();
      const body = (text.startsWith('{') ? JSON.parse(text) : { message: text }) as Body;
      return { status: reply.statusCode, body, contentType: String(reply.headers['content-type']) };
    },
    async watch(path, query, accept) {
      const abort = new AbortController();
      const asked = `${path}?${new URLSearchParams({ watch: 'true', ...query })}`;
      const { body } = await send('GET', asked, accept === undefined ? {} : { accept }, abort.signal);
      const events: WatchEvent[] = [];
      const ended = follow(body.setEncoding('utf8'), events).catch(() => undefined);
      return { events, ended, stop: () => abort.abort() };
    },
    close: async () => void (await Promise.all([admin.destroy(), other.destroy()])),
  };
}

async function follow(chunks: AsyncIterable<unknown>, events: WatchEvent[]): Promise<void> {
  let text = '';
  for await (const chunk of chunks) {
    const lines = `${text}${chunk}`.split('\n');
    text = lines.pop() ?? '';
    events.push(...lines.map((line) => JSON.parse(line) as WatchEvent));
  }
}

/** Waits for what a cluster does on its own; the deadline is for a hung test, not for a slow machine. */
export const eventually = <T>(look: () => Promise<T> | T): Promise<T> =>
  vi.waitFor(look, { timeout: 90_000, interval: 20 });
