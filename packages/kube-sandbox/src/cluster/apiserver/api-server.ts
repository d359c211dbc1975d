// One address of the cluster: what it answers, its own authenticator cache, and switches to pause or stop it.
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServingCertificate } from '../../certificate.ts';
import { ApiError, unauthorized } from '../apimachinery/status.ts';
import { Authenticator } from '../authn/authenticator.ts';
import type { World } from '../storage/world.ts';
import type { User } from '../tokens/claims.ts';
import { forbiddenToAnonymous } from './anonymous.ts';
import type { Answer, Call, Streaming } from './call.ts';
import type { Effect, Faults, LoggedRequest } from './faults.ts';
import { cutConnection, HttpsListener, readBody, send, stream } from './https.ts';
import { openAnswer } from './open-paths.ts';
import { handle } from './rest.ts';

export interface ApiServerOptions {
  index: number;
  version: string;
  world: World;
  certificate: ServingCertificate;
  faults: Faults;
  log: LoggedRequest[];
  tokenCacheMs: number;
  /** False: it is reached by `ask` alone, at an address that nobody listens on. */
  sockets: boolean;
}

/** One request as far as the answer depends on it. */
export interface Incoming {
  method: string;
  /** Path and query. */
  url: string;
  headers: Record<string, string | string[] | undefined>;
}

const FAILURES: Record<number, string> = {
  403: 'Forbidden',
  409: 'Conflict',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

const headerOf = ({ headers }: Incoming, name: string, otherwise = ''): string =>
  String(headers[name] ?? otherwise);

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
  readonly #listener: HttpsListener | undefined;
  #port = 0;
  #up = false;
  #paused: { done: Promise<void>; resume: () => void } | undefined;

  constructor(options: ApiServerOptions) {
    this.version = options.version;
    this.#options = options;
    this.#authenticator = new Authenticator(options.world, options.version, options.tokenCacheMs);
    this.#listener = options.sockets
      ? new HttpsListener(options.certificate, (request, response) => this.#serve(request, response))
      : undefined;
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
    if (this.#up) return;
    this.#up = true;
    this.#port = (await this.#listener?.start(this.#port)) ?? 6443 + this.#options.index;
  }

  /** Cuts every connection and refuses new ones. */
  async stop(): Promise<void> {
    if (!this.#up) return;
    this.#up = false;
    await this.#listener?.stop();
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

  get up(): boolean {
    return this.#up;
  }

  /** What it would answer to this token now, without being asked: no cache is filled, and no use is noted. */
  accepts(token: string, audiences?: string[]): boolean {
    return this.#authenticator.wouldAccept(token, audiences);
  }

  /** One request without a socket. Throws what a client sees of a server that is stopped or cuts the connection. */
  async ask(incoming: Incoming, body = ''): Promise<Answer> {
    if (!this.#up) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const answer = await this.#exchange(incoming, body);
    if (answer === 'cut') throw Object.assign(new Error('cut'), { code: 'ECONNRESET' });
    if ('run' in answer) throw new Error('a watch needs a socket');
    return answer;
  }

  async #serve(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
    const answer = await this.#exchange(request, readBody(request));
    if (answer === 'cut') cutConnection(request);
    else if ('run' in answer) stream(answer, response);
    else send(answer, response);
  }

  async #exchange(incoming: Incoming, body: string | Promise<string>): Promise<Answer | Streaming | 'cut'> {
    const { world, faults, log, index } = this.#options;
    const entry: LoggedRequest = {
      at: world.now(),
      server: index,
      method: incoming.method,
      path: incoming.url,
      status: 0,
      userAgent: headerOf(incoming, 'user-agent'),
      contentType: headerOf(incoming, 'content-type'),
    };
    log.push(entry);
    const text = await body;
    await this.#paused?.done;
    const effect = faults.take(entry);
    if (effect.delayMs > 0) await sleep(effect.delayMs, undefined, { ref: false });
    const answer = this.#answer(incoming, text, effect);
    if (effect.cut) return 'cut';
    entry.status = 'run' in answer ? 200 : answer.status;
    return answer;
  }

  #answer(incoming: Incoming, body: string, effect: Effect): Answer | Streaming {
    this.#options.world.timeline.tick();
    try {
      if (effect.fail?.body !== undefined) return { status: effect.fail.status, body: effect.fail.body };
      if (effect.fail !== undefined) throw injected(effect.fail);
      const { world, version } = this.#options;
      const url = new URL(incoming.url, this.url);
      const caller = this.#caller(incoming);
      const isRead = incoming.method === 'GET';
      const accept = headerOf(incoming, 'accept', '*/*');
      const open = isRead ? openAnswer(world, version, url.pathname, caller && { accept }) : undefined;
      if (open !== undefined) return open;
      if (caller === undefined) throw forbiddenToAnonymous(incoming.method, url);
      return handle(this.#call(incoming, url, body, caller));
    } catch (error) {
      const known = error instanceof ApiError ? error : new ApiError(500, 'InternalError', String(error));
      return { status: known.code, body: known.body, headers: known.headers };
    }
  }

  /** Undefined: nobody in particular. A token that is refused is never taken for none. */
  #caller(incoming: Incoming): User | undefined {
    const [, token] = /^Bearer\s+(\S+)$/i.exec(headerOf(incoming, 'authorization')) ?? [];
    if (token === undefined) return undefined;
    const verdict = this.#authenticator.authenticate(token);
    if (!verdict.authenticated) throw unauthorized();
    return verdict.user;
  }

  #call(incoming: Incoming, url: URL, body: string, caller: User): Call {
    return {
      world: this.#options.world,
      authenticator: this.#authenticator,
      method: incoming.method,
      path: url.pathname,
      query: url.searchParams,
      headers: {
        accept: headerOf(incoming, 'accept', 'application/json'),
        contentType: headerOf(incoming, 'content-type'),
        userAgent: headerOf(incoming, 'user-agent'),
      },
      body,
      caller,
    };
  }
}
