// Stands between the worker and an API server, and fails the requests that a test chooses, before or after they are carried out.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type Certificate, createAuthority } from 'kube-sandbox/certificates';
import { Agent, type Dispatcher, request } from 'undici';

/** `cut`: never carried out; `lose`: carried out, and the answer is lost; a number: answered with that status instead. */
export type Fate = 'pass' | 'cut' | 'lose' | number;

export interface Passing {
  /** Counted from 1. */
  number: number;
  method: string;
  path: string;
  /** It came with a client certificate of this proxy. */
  certified: boolean;
  bearer: boolean;
}

export interface FaultProxyOptions {
  /** URL of the API server. */
  target: string;
  caPem: string;
  /** What a request that came with a certificate is sent on with; others are sent on with their own headers. */
  identity?: Certificate;
}

export interface FaultProxy {
  url: string;
  caPem: string;
  /** A client certificate that this proxy trusts. */
  client: Certificate;
  passed: Passing[];
  /** Decides about every request from now on, which is counted from 1 again. */
  decide(fate: (passing: Passing) => Fate): void;
  close(): Promise<void>;
}

export async function startFaultProxy({ target, caPem, identity }: FaultProxyOptions): Promise<FaultProxy> {
  const authority = createAuthority('fault proxy CA');
  const { certPem: cert, keyPem: key } = authority.serving('fault-proxy', ['127.0.0.1', 'localhost']);
  const plain = new Agent({ connect: { ca: caPem } });
  const certified =
    identity && new Agent({ connect: { ca: caPem, cert: identity.certPem, key: identity.keyPem } });
  let passed: Passing[] = [];
  let decide: (passing: Passing) => Fate = () => 'pass';
  const server = createServer(
    { cert, key, ca: authority.caPem, requestCert: true, rejectUnauthorized: false },
    (asked, answer) => {
      const passing = describe(asked, passed.length + 1);
      passed.push(passing);
      const dispatcher = passing.certified && certified ? certified : plain;
      carry(asked, answer, decide(passing), { target, dispatcher }).catch(() => asked.socket.destroy());
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    caPem: authority.caPem,
    client: authority.client('worker'),
    get passed() {
      return passed;
    },
    decide(fate) {
      passed = [];
      decide = fate;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await Promise.all([plain.destroy(), certified?.destroy()]);
    },
  };
}

const describe = ({ method = '', url = '', headers, socket }: IncomingMessage, number: number): Passing => ({
  number,
  method,
  path: url,
  certified: (socket as TLSSocket).authorized,
  bearer: headers.authorization?.startsWith('Bearer ') ?? false,
});

/** Of one connection, not of the request. */
const HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host', 'upgrade', 'content-length']);

interface Onward {
  target: string;
  dispatcher: Dispatcher;
}

async function carry(asked: IncomingMessage, answer: ServerResponse, fate: Fate, to: Onward): Promise<void> {
  if (fate === 'cut') return void asked.socket.destroy();
  if (typeof fate === 'number') return refuse(answer, fate);
  const body = Buffer.concat(await asked.toArray());
  const {
    statusCode,
    headers,
    body: content,
  } = await request(`${to.target}${asked.url}`, {
    dispatcher: to.dispatcher,
    method: asked.method as Dispatcher.HttpMethod,
    headers: withoutHop(asked.headers),
    ...(body.length > 0 && { body }),
  });
  const bytes = Buffer.from(await content.arrayBuffer());
  if (fate === 'lose') return void asked.socket.destroy();
  answer.writeHead(statusCode, withoutHop(headers)).end(bytes);
}

function refuse(answer: ServerResponse, code: number): void {
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code };
  answer.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(status));
}

function withoutHop(headers: NodeJS.Dict<string | string[]>): Record<string, string | string[]> {
  const kept = Object.entries(headers).filter(([name, value]) => value !== undefined && !HOP.has(name));
  return Object.fromEntries(kept) as Record<string, string | string[]>;
}
