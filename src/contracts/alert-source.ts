// What a kind of incoming alert provides: one file in sources/, and one line in its index.
import type { AlertUpdate, LeakAlert } from '../domain/incident/alert.ts';
import type { Secret } from '../secret.ts';

export interface Finding {
  alert: LeakAlert;
  /** The leaked token, where the alert carried it. */
  token?: Secret;
}

export type Parsed =
  | { kind: 'findings'; findings: Finding[] }
  | { kind: 'update'; update: AlertUpdate }
  /** A test message or something of no concern: answered 2xx, nothing opened. */
  | { kind: 'ignored'; why: string };

export interface RawRequest {
  /** Lower-case names. */
  headers: Record<string, string | undefined>;
  body: Buffer;
}

/**
 * One kind of incoming alert, served at POST /hooks/<name>. `verify` throws AppError `bad-signature`; `parse` throws
 * AppError `bad-input`. Both messages are safe to show and never quote the body.
 */
export interface AlertSource {
  name: string;
  /**
   * Checks authenticity over the raw bytes, and that the timestamp is at most `toleranceMs` off (one minute by default);
   * returns the delivery's id, by which replays are refused.
   */
  verify(request: RawRequest, secret: Secret, nowMs: number, toleranceMs?: number): string;
  parse(request: RawRequest): Parsed;
  /** Throws AppError `bad-config` where this can be no secret of this source; for a check of the configuration. */
  checkSecret?(secret: Secret): void;
}
