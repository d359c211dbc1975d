// The door through which everything goes that is written, shown or sent: no token passes it, in whatever way it stands there.
import type { Range } from './chain.ts';
import { tokenRanges } from './token-ranges.ts';

const REMOVED = '[token removed]';
/** Two parts of ten characters, and the dot. */
const SHORTEST = 21;
/** What was apart may stand together once something between was removed. */
const ROUNDS = 3;

/** The text without anything that looks like a token. Errs towards removing too much; never throws. */
export function scrub(text: string): string {
  let clean = text;
  for (let round = 0; round < ROUNDS && clean.length >= SHORTEST; round++) {
    const ranges = tokenRanges(clean);
    if (ranges.length === 0) break;
    clean = without(clean, ranges);
  }
  return clean;
}

function without(text: string, ranges: readonly Range[]): string {
  let [result, kept] = ['', 0];
  for (const [start, end] of ranges.toSorted(([a], [b]) => a - b)) {
    if (start >= kept) result += text.slice(kept, start) + REMOVED;
    kept = Math.max(kept, end);
  }
  return result + text.slice(kept);
}

/** The same for every text in a value that is going to be JSON, keys included; what holds none comes back as it is. */
export function scrubbed<T>(value: T): T {
  return clean(value) as T;
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return scrub(value);
  if (Array.isArray(value)) return sameOr(value, value.map(clean));
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  const entries = Object.entries(value);
  const cleaned = entries.map(([key, inner]) => [scrub(key), clean(inner)] as const);
  const same = cleaned.every(([key, inner], i) => key === entries[i]?.[0] && inner === entries[i]?.[1]);
  return same ? value : Object.fromEntries(cleaned);
}

const sameOr = (before: unknown[], after: unknown[]): unknown[] =>
  after.every((one, i) => one === before[i]) ? before : after;

/** Buffers, Secrets and the like say themselves what they become. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
