// Takes anchors of all incidents, daily and at the end of each, and publishes the ledger where nobody who has Redis can reach it.
import { type Anchor, compare } from '../../domain/afterwards/ledger.ts';
import type { Reporter } from '../../ports/reporter.ts';
import type { BotDeps } from '../ground/deps.ts';
import type { Chained, Ledger, LedgerPosition } from '../ground/ledger.ts';

export interface AnchorDeps extends Pick<BotDeps, 'clock' | 'locks'> {
  ledger: Ledger;
}

/** An entry stays short enough for one line of a log. */
const HEADS_PER_ENTRY = 100;

/** Writes these as entries that follow one another. False: somebody else wrote in between, so look again what is left. */
async function write(
  { ledger }: AnchorDeps,
  after: LedgerPosition,
  at: number,
  { heads, lost = [], why }: Omit<Anchor, 'type'>,
): Promise<boolean> {
  let place = after;
  let from = 0;
  do {
    const now = heads.slice(from, from + HEADS_PER_ENTRY);
    from += HEADS_PER_ENTRY;
    const last = from >= heads.length;
    const anchor = { type: 'anchor' as const, why, heads: now, ...(last && lost.length > 0 && { lost }) };
    const written = await ledger.anchor(place, at, anchor);
    if (written === 'conflict') return false;
    place = written;
  } while (from < heads.length);
  return true;
}

/** Writes how far the incidents have come that changed, and looks at no other: this is done as often as one ends. */
async function anchorChanged(deps: AnchorDeps): Promise<void> {
  for (;;) {
    const at = deps.clock.now();
    const [place, heads] = await Promise.all([deps.ledger.end(), deps.ledger.changed()]);
    if (heads.length === 0 || (await write(deps, place, at, { why: 'closed', heads }))) return;
  }
}

/** Looks at every incident, once, and at the whole ledger. What a crash cuts off is in the next anchor. */
async function anchorAll(deps: AnchorDeps): Promise<void> {
  for (let left = false; ; left = true) {
    // Before looking: whatever was opened earlier than this is in it.
    const at = deps.clock.now();
    const { known, ...place } = await deps.ledger.read();
    const { heads, lost } = compare(known, await deps.ledger.heads());
    const nothing =
      heads.length === 0 && (left || (lost.length === 0 && place.version === (known.daily?.v ?? 0)));
    if (nothing || (await write(deps, place, at, { why: 'daily', heads, lost }))) return;
  }
}

/** The end of an incident is anchored like a report: again until it is done, and the sweeper finds what was lost. */
export const anchorReporter = (deps: AnchorDeps): Reporter => ({
  name: 'anchor',
  async report(incident, events, cursor) {
    if (events.some(({ v, type }) => v > cursor && type === 'closed')) await anchorChanged(deps);
    return incident.version;
  },
});

const HOUR = 3_600_000;
const ANCHOR_LOCK_MS = 10_000;

/** Takes the daily anchor if it is due and has something to say. Answers when to ask again, Unix milliseconds. */
export async function anchorDaily(deps: AnchorDeps, everyMs: number): Promise<number> {
  const now = deps.clock.now();
  const soon = now + Math.min(everyMs, HOUR);
  const lock = await deps.locks.take('anchor', ANCHOR_LOCK_MS);
  if (lock === undefined) return soon;
  try {
    const { daily } = (await deps.ledger.read()).known;
    const at = daily ? Date.parse(daily.at) + everyMs : now;
    if (at > now) return Math.min(at, soon);
    await anchorAll(deps);
    return soon;
  } finally {
    await lock.release();
  }
}

/** A place outside Redis. */
export interface Publisher {
  name: string;
  /** Entries that follow one another, oldest first; at least once each. Throws AppError. */
  publish(entries: readonly Chained[]): Promise<void>;
}

const PUBLISH_LOCK_MS = 10_000;

/** One process at a time for each place. */
export async function publishLedger(
  { ledger, locks }: AnchorDeps,
  { name, publish }: Publisher,
): Promise<void> {
  const lock = await locks.take(`publish:${name}`, PUBLISH_LOCK_MS);
  if (lock === undefined) return;
  try {
    const entries = await ledger.since(await ledger.published(name));
    const last = entries.at(-1);
    if (last === undefined) return;
    await publish(entries);
    await ledger.advance(name, last.entry.v);
  } finally {
    await lock.release();
  }
}
