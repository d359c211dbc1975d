// What the engine needs of the ledger: the list over all incidents that anchors and stubs of purged ones are written to.
import type { Anchor, KnownLog, LedgerEntry, LogHead, Stub } from '../../domain/afterwards/ledger.ts';

/** An entry and its keyed hash, which covers everything before it. */
export interface Chained {
  mac: string;
  entry: LedgerEntry;
}

export interface LedgerState {
  known: KnownLog;
  version: number;
  head: string;
}

/** Where the ledger ends. */
export type LedgerPosition = Pick<LedgerState, 'version' | 'head'>;

/** Append-only, compare-and-set. Throws AppError `store-unavailable`, and `log-damaged` where it does not verify. */
export interface Ledger {
  read(): Promise<LedgerState>;
  /** Entries after this version. */
  since(version: number): Promise<Chained[]>;
  /** Where it ends, by its last entry alone: what is damaged before that is found by `read`. */
  end(): Promise<LedgerPosition>;
  /** How far the log of every incident has come. */
  heads(): Promise<LogHead[]>;
  /** The same, only of incidents that were appended to since they were last anchored. */
  changed(): Promise<LogHead[]>;
  /** `at`: Unix milliseconds. Answers where the ledger ends then; `conflict`: somebody else wrote first. */
  anchor(after: LedgerPosition, at: number, anchor: Anchor): Promise<LedgerPosition | 'conflict'>;
  /**
   * Writes the stub and removes the incident with all that belongs to it, in one step. `claims`: its dedupe keys.
   * `changed`: something was appended to it meanwhile, and nothing was done.
   */
  purge(
    after: LedgerPosition,
    at: number,
    stub: Stub,
    claims: string[],
  ): Promise<LedgerPosition | 'conflict' | 'changed'>;
  /** Incidents that were opened before this time, oldest first. */
  openedBefore(ms: number): Promise<string[]>;
  /** How far this publisher has published it. */
  published(publisher: string): Promise<number>;
  advance(publisher: string, version: number): Promise<void>;
}
