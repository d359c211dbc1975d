// One error type for everything that is not an expected outcome: a stable code, whether to retry, and a sentence for people.

export type ErrorCode =
  | 'bad-config'
  | 'bad-input'
  | 'bad-signature'
  | 'conflict'
  /** By admission, as Kubernetes says: a policy, a webhook, a quota. RBAC would have let it. */
  | 'denied'
  /** A JSON Patch of which a `test` failed, or a path was not there: nothing was changed. */
  | 'does-not-apply'
  | 'forbidden'
  | 'gone'
  | 'interrupted'
  | 'invalid'
  | 'log-damaged'
  | 'not-found'
  | 'slack-unavailable'
  | 'store-unavailable'
  | 'throttled'
  | 'timeout'
  | 'unauthorized'
  | 'unreachable'
  | 'unsupported';

export interface AppErrorOptions {
  /** Whether the same call may succeed later without anybody changing anything. */
  retry?: boolean;
  /** Earliest sensible retry, milliseconds from now. */
  retryAfterMs?: number;
  cause?: unknown;
}

/** `message` is safe to show to people: what happened, what was not lost, what to do next. Never a token, a body or a header. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retry: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.retry = options.retry ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}

export function isAppError(error: unknown, ...codes: ErrorCode[]): error is AppError {
  return error instanceof AppError && (codes.length === 0 || codes.includes(error.code));
}
