// An HTTPS server that answers exactly what a test tells it to, for failures that no cluster model should have to know.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { issueServingCertificate } from 'kube-sandbox/certificates';
import type { ClusterConfig } from '../../../src/config/file-schema.ts';

export type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | 'hang' | 'cut';

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders | http2.IncomingHttpHeaders;
  body: string;
}

export interface Scripted {
  url: string;
  received: Received[];
  connections: number;
  /** Connections whose client showed a certificate. */
  certified: number;
  /** A user of a kubeconfig who shows one. */
  certifiedUser: Record<string, string>;
  answer: Answer | ((request: Received) => Answer);
  /** A configured cluster whose kubeconfig names this server and authenticates with `user`. */
  config(user?: unknown, cluster?: Record<string, unknown>): ClusterConfig;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** What the certificate is for: an address, and the name that every API server carries. */
const HOSTS = ['127.0.0.1', 'kubernetes.default.svc'];

export async function startScripted(protocol: 'h1' | 'h2' = 'h2'): Promise<Scripted> {
  const { caPem, certPem, keyPem } = issueServingCertificate('scripted', HOSTS);
  const folder = mkdtempSync(join(tmpdir(), 'tourniquet-'));
  const sockets = new Set<Socket>();
  let port = 0;
  let server: http2.Http2SecureServer | https.Server;
  const scripted: Scripted = {
    url: '',
    received: [],
    connections: 0,
    certified: 0,
    certifiedUser: { 'client-certificate-data': base64(certPem), 'client-key-data': base64(keyPem) },
    answer: { status: 200, body: {} },
    config(user = { token: 'worker' }, cluster = {}) {
      const ca = { 'certificate-authority-data': base64(caPem) };
      return configOf(folder, { server: scripted.url, ...ca, ...cluster }, user);
    },
    async start() {
      const options = { cert: certPem, key: keyPem, requestCert: true, rejectUnauthorized: false };
      server = protocol === 'h1' ? https.createServer(options) : http2.createSecureServer(options);
      server.on('secureConnection', (socket: TLSSocket) => {
        scripted.connections++;
        if (socket.getPeerCertificate().raw) scripted.certified++;
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
        socket.on('error', () => undefined);
      });
      server.on('request', (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => {
        reply(scripted, request, response).catch(() => undefined);
      });
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      port = (server.address() as AddressInfo).port;
      scripted.url = `https://127.0.0.1:${port}`;
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async close() {
      if (server.listening) await scripted.stop();
      rmSync(folder, { recursive: true });
    },
  };
  await scripted.start();
  return scripted;
}

async function reply(
  scripted: Scripted,
  request: http2.Http2ServerRequest,
  response: http2.Http2ServerResponse,
): Promise<void> {
  let body = '';
  for await (const chunk of request) body += chunk;
  const received = { method: request.method, path: request.url, headers: request.headers, body };
  scripted.received.push(received);
  const answer = typeof scripted.answer === 'function' ? scripted.answer(received) : scripted.answer;
  if (answer === 'hang') return;
  if (answer === 'cut') {
    if (request.stream?.session) request.stream.session.destroy();
    else request.socket.destroy();
    return;
  }
  response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
  response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {}));
}

export function configOf(folder: string, cluster: Record<string, unknown>, user: unknown): ClusterConfig {
  const kubeconfig = join(folder, `config-${Math.random().toString(36).slice(2)}`);
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(kubeconfig, JSON.stringify(content));
  return { name: 'prod', kubeconfig, searchNamespaces: [], timeout: 5000 };
}
