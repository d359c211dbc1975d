// Raw requests to a simulated cluster for its tests: no client library between the test and the wire.
import { Agent, request } from 'undici';
import { expect } from 'vitest';
import type { SimulatedCluster } from '../src/cluster/cluster.ts';

export const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
export const JSON_PATCH = 'application/json-patch+json';
export const MERGE_PATCH = 'application/merge-patch+json';
export const SELF_REVIEW = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
export const TOKEN_REVIEW = '/apis/authentication.k8s.io/v1/tokenreviews';

/** Loosely typed on purpose: tests look into whatever came back. */
export interface Json {
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests assert.
  [field: string]: any;
}

export interface Reply {
  status: number;
  body: Json;
  headers: Record<string, string | string[] | undefined>;
}

export interface Ask {
  token?: string;
  body?: unknown;
  type?: string;
  accept?: string;
  server?: number;
  userAgent?: string;
}

export class Api {
  readonly cluster: SimulatedCluster;
  readonly agent: Agent;
  readonly token: string;

  constructor(cluster: SimulatedCluster) {
    this.cluster = cluster;
    this.agent = new Agent({ connect: { ca: cluster.caPem } });
    if (cluster.get('/api/v1/namespaces/kube-system/serviceaccounts/tester') === undefined) {
      cluster.seed.serviceAccount('kube-system', 'tester');
    }
    // Long enough for tests that move the clock by hours.
    this.token = cluster.seed.requestToken('kube-system', 'tester', { expirationSeconds: 30 * 24 * 3600 });
  }

  async ask(method: string, path: string, ask: Ask = {}): Promise<Reply> {
    const { token = this.token, body, type = 'application/json', accept, server = 0, userAgent } = ask;
    const origin = this.cluster.servers[server]?.url ?? '';
    const reply = await request(`${origin}${path}`, {
      method: method as 'GET',
      dispatcher: this.agent,
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': type }),
        ...(accept === undefined ? {} : { accept }),
        ...(userAgent === undefined ? {} : { 'user-agent': userAgent }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await reply.body.text();
    const parsed = text.startsWith('{') ? (JSON.parse(text) as Json) : { text };
    return { status: reply.statusCode, body: parsed, headers: reply.headers };
  }

  get(path: string, ask: Ask = {}): Promise<Reply> {
    return this.ask('GET', path, ask);
  }

  patch(path: string, type: string, body: unknown, accept?: string): Promise<Reply> {
    return this.ask('PATCH', path, { body, type, ...(accept === undefined ? {} : { accept }) });
  }

  /** The raw probe: 201 alive, 401 dead. */
  async probe(token: string, server = 0): Promise<number> {
    return (await this.ask('POST', SELF_REVIEW, { token, server, body: {} })).status;
  }

  async tokenReview(token: string, audiences: string[] = [], server = 0): Promise<Json> {
    const spec = { token, ...(audiences.length === 0 ? {} : { audiences }) };
    return (await this.ask('POST', TOKEN_REVIEW, { body: { spec }, server })).body.status;
  }

  async close(): Promise<void> {
    await this.agent.destroy();
    await this.cluster.close();
  }
}

export class TestClock {
  #now = Date.parse('2026-11-24T03:00:00Z');

  readonly now = (): number => this.#now;

  advance(seconds: number): void {
    this.#now += seconds * 1000;
  }
}

/** The claims of a token, unverified. */
export function claimsOf(token: string): Json {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Json;
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** Waits for what the cluster does on its own; the deadline is for a hung test, not for a slow machine. */
export function eventually<T>(look: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(look, { timeout: 15_000, interval: 5 });
}
