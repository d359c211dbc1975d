// The ledger: one chained list over all incidents. An anchor says how far each log had come, a stub what a purged one was. Pure.
import type { CloseKind } from '../incident/incident.ts';

/** How far the log of one incident had come: its id, its number of entries, and the keyed hash that ends them. */
export type LogHead = [id: string, version: number, head: string];

export interface Anchor {
  type: 'anchor';
  why: 'daily' | 'closed';
  /** Of every incident that changed since it was anchored before. The daily one looks at all, `closed` at what was appended to. */
  heads: LogHead[];
  /** Incidents that were anchored before and are gone, shorter or others now, without having been purged. */
  lost?: string[];
}

/** What is left of an incident: enough to check an export of it against. */
export interface Stub {
  type: 'purged';
  incident: string;
  entries: number;
  head: string;
  openedAt: string;
  closedAt: string;
  as: CloseKind;
  /** By which rule: `keepFor 400 d`, or by hand. */
  by: string;
}

/** `v` counts from 1; `at` is ISO time. An entry's keyed hash covers everything before it. */
export type LedgerEntry = (Anchor | Stub) & { v: number; at: string };

export interface KnownLog {
  /** By id, as of the last entry. */
  heads: Map<string, { version: number; head: string }>;
  stubs: Map<string, Stub & { at: string }>;
  /** The latest anchor, and the latest daily one. */
  anchoredAt?: string;
  daily?: { at: string; v: number };
}

export const nothingKnown = (): KnownLog => ({ heads: new Map(), stubs: new Map() });

export function learn(known: KnownLog, entry: LedgerEntry): void {
  if (entry.type === 'purged') {
    known.stubs.set(entry.incident, entry);
    known.heads.delete(entry.incident);
    return;
  }
  // A newer version may write what this one does not know yet.
  if (entry.type !== 'anchor') return;
  for (const [id, version, head] of entry.heads) known.heads.set(id, { version, head });
  known.anchoredAt = entry.at;
  if (entry.why === 'daily') known.daily = { at: entry.at, v: entry.v };
}

/**
 * What an anchor of these logs would have to say. A log that is gone, shorter, or another one at the same length is lost,
 * and stays so: no later anchor takes its new state for the right one.
 */
export function compare(
  { heads: known }: KnownLog,
  now: readonly LogHead[],
): { heads: LogHead[]; lost: string[] } {
  const present = new Map(now.map((one) => [one[0], one]));
  const lost = [...known].flatMap(([id, before]) => {
    const [, version = 0, head] = present.get(id) ?? [];
    const fits = version > before.version || (version === before.version && head === before.head);
    return fits ? [] : [id];
  });
  const gone = new Set(lost);
  const heads = now.filter(([id, version]) => !gone.has(id) && version > (known.get(id)?.version ?? 0));
  return { heads, lost };
}

/** As it is chained, and as it can be built again from a line of a log: always in this order. */
export function ledgerText(entry: LedgerEntry): string {
  const { v, at } = entry;
  if (entry.type === 'anchor') {
    const { type, why, heads, lost } = entry;
    return JSON.stringify({ v, at, type, why, heads, ...(lost && { lost }) });
  }
  const { type, incident, entries, head, openedAt, closedAt, as, by } = entry;
  return JSON.stringify({ v, at, type, incident, entries, head, openedAt, closedAt, as, by });
}
