// The HTTP server: webhooks of the alert sources, and health for whoever runs the process.
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { AlertSource, RawRequest } from '../../contracts/alert-source.ts';
import { scrubbed } from '../../domain/text/scrub.ts';
import type { Secret } from '../../secret.ts';
import { type DeliveryOptions, deliverer } from './delivery.ts';
import { refusalOf } from './refusal.ts';

export interface HttpOptions extends DeliveryOptions {
  host: string;
  /** 0 picks a free one. */
  port: number;
  maxBodyBytes: number;
  /** None: only health is served. */
  sources: AlertSource[];
  /** By source name; a source without one is not served. */
  secrets: Record<string, Secret>;
  /** What keeps the process from doing its work, one line each; empty when it can. */
  ready(): Promise<string[]>;
  /** What only a restart repairs, one line each; empty when all is well. */
  alive?(): Promise<string[]>;
  /** Told what became of each delivery, for whoever counts. */
  counted?(source: string, outcome: string): void;
}

export interface HttpServer {
  port: number;
  /** Stops accepting, and resolves when the requests under way were answered. */
  close(): Promise<void>;
}

/** A sender has this long to send all of a request, so that none can hold a connection or the shutdown. */
const REQUEST_TIMEOUT_MS = 10_000;

export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const refuse = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const { status, message, retryAfterSeconds } = refusalOf(error, options.log);
    const source = /^\/hooks\/([a-z0-9-]+)$/.exec(request.routeOptions?.url ?? '')?.[1];
    if (source !== undefined) options.counted?.(source, REFUSED[status] ?? 'failed');
    if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
    // Fastify would cut off a body that is too large, and the sender, still sending, would never read why.
    reply.removeHeader('connection');
    return reply.code(status).send({ error: message });
  };
  const server = Fastify({
    bodyLimit: options.maxBodyBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Node looks for overdue requests only every 30 s by default.
    http: { connectionsCheckingInterval: 1000 },
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) => void refuse(error, request, reply),
  });
  server.setErrorHandler((error, request, reply) => refuse(error, request, reply));
  server.addHook('preSerialization', async (_request, _reply, payload) => scrubbed(payload));
  closeConnectionsAtEnd(server);
  serveHooks(server, options);
  serveHealth(server, options);
  await server.listen({ host: options.host, port: options.port });
  return { port: (server.server.address() as AddressInfo).port, close: () => stop(server) };
}

/** Node stops looking for overdue requests when a server closes, so half a request would hold it for ever. */
async function stop(server: FastifyInstance): Promise<void> {
  const overdue = setTimeout(() => server.server.closeAllConnections(), REQUEST_TIMEOUT_MS);
  await server.close();
  clearTimeout(overdue);
}

/** Idle connections are closed at once; one that was busy then would otherwise be kept for its next request. */
function closeConnectionsAtEnd(server: FastifyInstance): void {
  let closing = false;
  server.addHook('preClose', async () => {
    closing = true;
  });
  server.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
}

/** By HTTP status, in words that stay when a status changes. */
const REFUSED: Record<number, string> = {
  400: 'bad-input',
  401: 'bad-signature',
  408: 'too-slow',
  413: 'too-large',
  415: 'bad-request',
  503: 'not-kept',
};

const POST_ONLY = 'Alerts are taken by POST only. Send the signed alert that way.';

function serveHooks(server: FastifyInstance, options: HttpOptions): void {
  // Signatures are over the bytes as they came, so nothing may parse them first; other content types are answered 415.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  const deliver = deliverer(options);
  const served: string[] = [];
  for (const source of options.sources) {
    const secret = options.secrets[source.name];
    if (secret === undefined) continue;
    served.push(`/hooks/${source.name}`);
    server.post(`/hooks/${source.name}`, async (request, reply) => {
      const answer = await deliver(source, secret, rawOf(request));
      options.counted?.(source.name, String(answer.body.status));
      return reply.code(answer.status).send(answer.body);
    });
    server.route({
      method: ['GET', 'PUT', 'PATCH', 'DELETE'],
      url: `/hooks/${source.name}`,
      handler: (_request, reply) => reply.code(405).header('allow', 'POST').send({ error: POST_ONLY }),
    });
  }
  const sources =
    served.length > 0 ? `Alerts are taken by POST at: ${served.join(', ')}.` : 'No alert source is set up.';
  const error = `There is nothing here. ${sources} A source is served once its secret is set.`;
  server.setNotFoundHandler((_request, reply) => reply.code(404).send({ error }));
}

function rawOf(request: FastifyRequest): RawRequest {
  const headers: RawRequest['headers'] = {};
  for (const [name, value] of Object.entries(request.headers))
    if (typeof value === 'string') headers[name] = value;
  return { headers, body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0) };
}

function serveHealth(server: FastifyInstance, options: HttpOptions): void {
  server.get('/healthz', async (_request, reply) => {
    const problems = (await options.alive?.()) ?? [];
    return reply
      .code(problems.length > 0 ? 503 : 200)
      .send(problems.length > 0 ? { status: 'stuck', problems } : { status: 'alive' });
  });
  server.get('/readyz', async (_request, reply) => {
    const problems = await options.ready();
    return reply
      .code(problems.length > 0 ? 503 : 200)
      .send({ status: problems.length > 0 ? 'not ready' : 'ready', problems });
  });
}
