// Misbehaviour on demand: failing, slow and cut requests, decided per request by the test or the demo.

export interface LoggedRequest {
  /** By the cluster's clock. */
  at: number;
  /** Index of the API server that got it. */
  server: number;
  method: string;
  /** Path and query. */
  path: string;
  /** 0 until answered; stays 0 when the connection was cut. */
  status: number;
  userAgent: string;
  contentType: string;
}

export type RequestMatcher = (request: LoggedRequest) => boolean;

export interface Effect {
  delayMs: number;
  fail?: { status: number; retryAfterSeconds: number; body?: unknown };
  /** The request is carried out, and its answer is lost with the connection. */
  cut: boolean;
}

interface Failure {
  left: number;
  status: number;
  matches: RequestMatcher;
  retryAfterSeconds: number;
  body?: unknown;
}

const every: RequestMatcher = () => true;

export class Faults {
  #failures: Failure[] = [];
  #delays: { ms: number; matches: RequestMatcher }[] = [];
  #cuts: RequestMatcher[] = [];

  /** The next `times` matching requests are refused with this status, before anything else is done with them. */
  failNext(times: number, status: number, matches: RequestMatcher = every, retryAfterSeconds = 1): void {
    this.#failures.push({ left: times, status, matches, retryAfterSeconds });
  }

  /** The next `times` matching requests get exactly this instead: what a policy or webhook was seen to refuse with. */
  answerNext(times: number, status: number, body: unknown, matches: RequestMatcher = every): void {
    this.#failures.push({ left: times, status, matches, retryAfterSeconds: 1, body });
  }

  /** Every matching request waits this long first; the returned function lifts it for later ones. */
  delay(ms: number, matches: RequestMatcher = every): () => void {
    const delay = { ms, matches };
    this.#delays.push(delay);
    return () => {
      this.#delays = this.#delays.filter((each) => each !== delay);
    };
  }

  /** The next matching request is carried out, and its connection is cut instead of an answer. */
  resetAfterAccept(matches: RequestMatcher = every): void {
    this.#cuts.push(matches);
  }

  clear(): void {
    this.#failures = [];
    this.#delays = [];
    this.#cuts = [];
  }

  /** What happens to this request; uses up one-time faults. */
  take(request: LoggedRequest): Effect {
    const delayMs = Math.max(0, ...this.#delays.filter((each) => each.matches(request)).map(({ ms }) => ms));
    const failure = this.#failures.find((each) => each.left > 0 && each.matches(request));
    if (failure !== undefined) {
      failure.left -= 1;
      return { delayMs, fail: failure, cut: false };
    }
    const cut = this.#cuts.findIndex((matches) => matches(request));
    if (cut >= 0) this.#cuts.splice(cut, 1);
    return { delayMs, cut: cut >= 0 };
  }
}
