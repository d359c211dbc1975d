// One address of the cluster: HTTPS (HTTP/2 and 1.1), its own authenticator cache, and switches to pause or stop it.
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { forbiddenToAnonymous } from './anonymous.ts';
import { Authenticator } from './authenticator.ts';
import type { Answer, Call, Streaming } from './call.ts';
import type { ServingCertificate } from './certificate.ts';
import type { User } from './claims.ts';
import type { Effect, Faults, LoggedRequest } from './faults.ts';
import { openAnswer } from './open-paths.ts';
import { handle } from './rest.ts';
import { ApiError, unauthorized } from './status.ts';
import type { World } from './world.ts';

export interface ApiServerOptions {
  index: number;
  version: string;
  world: World;
  certificate: ServingCertificate;
  faults: Faults;
  log: LoggedRequest[];
  tokenCacheMs: number;
}

const FAILURES: Record<number, string> = {
  403: 'Forbidden',
  409: 'Conflict',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

async function readBody(request: Http2ServerRequest): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function injected({ status, retryAfterSeconds }: NonNullable<Effect['fail']>): ApiError {
  const headers = status === 429 || status === 503 ? { 'retry-after': String(retryAfterSeconds) } : {};
  const reason = FAILURES[status] ?? 'InternalError';
  const details = 'retry-after' in headers ? { retryAfterSeconds } : undefined;
  return new ApiError(status, reason, `injected failure ${status}: ${reason}`, details, headers);
}

export class ApiServer {
  readonly version: string;
  readonly #options: ApiServerOptions;
  readonly #authenticator: Authenticator;
  readonly #server: Http2SecureServer;
  readonly #sockets = new Set<Socket>();
  #port = 0;
  #paused: { done: Promise<void>; resume: () => void } | undefined;

  constructor(options: ApiServerOptions) {
    this.version = options.version;
    this.#options = options;
    this.#authenticator = new Authenticator(options.world, options.version, options.tokenCacheMs);
    const { certPem: cert, keyPem: key } = options.certificate;
    this.#server = createSecureServer({ allowHTTP1: true, cert, key }, (request, response) => {
      this.#serve(request, response).catch(() => cutConnection(request));
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    // Cut connections are a feature here: their errors must not end the process.
    this.#server.on('sessionError', () => {});
    this.#server.on('tlsClientError', () => {});
  }

  /** "127.0.0.1:port" */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `https://${this.address}`;
  }

  /** Listens, again on the same port after a stop. */
  async start(): Promise<void> {
    if (this.#server.listening) return;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Cuts every connection and refuses new ones. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** From now on requests are accepted and get no answer, until `resume` answers them. */
  pause(): void {
    if (this.#paused !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#paused = { done: promise, resume: resolve };
  }

  resume(): void {
    this.#paused?.resume();
    this.#paused = undefined;
  }

  async #serve(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
    const { world, faults, log, index } = this.#options;
    const entry: LoggedRequest = {
      at: world.now(),
      server: index,
      method: request.method,
      path: request.url,
      status: 0,
      userAgent: request.headers['user-agent'] ?? '',
      contentType: request.headers['content-type'] ?? '',
    };
    log.push(entry);
    const body = await readBody(request);
    await this.#paused?.done;
    const effect = faults.take(entry);
    if (effect.delayMs > 0) await sleep(effect.delayMs, undefined, { ref: false });
    const answer = this.#answer(request, body, effect);
    if (effect.cut) return cutConnection(request);
    entry.status = 'run' in answer ? 200 : answer.status;
    if ('run' in answer) stream(answer, response);
    else send(answer, response);
  }

  #answer(request: Http2ServerRequest, body: string, effect: Effect): Answer | Streaming {
    this.#options.world.timeline.tick();
    try {
      if (effect.fail?.body !== undefined) return { status: effect.fail.status, body: effect.fail.body };
      if (effect.fail !== undefined) throw injected(effect.fail);
      const { world, version } = this.#options;
      const url = new URL(request.url, this.url);
      const caller = this.#caller(request);
      const isRead = request.method === 'GET';
      const open = isRead
        ? openAnswer(world, version, url.pathname, caller && { accept: request.headers.accept ?? '*/*' })
        : undefined;
      if (open !== undefined) return open;
      if (caller === undefined) throw forbiddenToAnonymous(request.method, url);
      return handle(this.#call(request, url, body, caller));
    } catch (error) {
      const known = error instanceof ApiError ? error : new ApiError(500, 'InternalError', String(error));
      return { status: known.code, body: known.body, headers: known.headers };
    }
  }

  /** Undefined: nobody in particular. A token that is refused is never taken for none. */
  #caller({ headers }: Http2ServerRequest): User | undefined {
    const [, token] = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '') ?? [];
    if (token === undefined) return undefined;
    const verdict = this.#authenticator.authenticate(token);
    if (!verdict.authenticated) throw unauthorized();
    return verdict.user;
  }

  #call({ method, headers }: Http2ServerRequest, url: URL, body: string, caller: User): Call {
    return {
      world: this.#options.world,
      authenticator: this.#authenticator,
      method,
      path: url.pathname,
      query: url.searchParams,
      headers: {
        accept: headers.accept ?? 'application/json',
        contentType: headers['content-type'] ?? '',
        userAgent: headers['user-agent'] ?? '',
      },
      body,
      caller,
    };
  }
}

function cutConnection(request: Http2ServerRequest): void {
  if (request.httpVersionMajor === 2) request.stream.session?.destroy();
  else request.socket.destroy();
}

function send({ status, body, headers = {} }: Answer, response: Http2ServerResponse): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  response.writeHead(status, { 'content-type': type, ...headers });
  response.end(text);
}

function stream(answer: Streaming, response: Http2ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const stop = answer.run(
    (line) => response.write(`${JSON.stringify(line)}\n`),
    () => response.end(),
  );
  response.on('close', stop);
}
