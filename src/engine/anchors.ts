// Takes anchors of all incidents, daily and at the end of each, and publishes the ledger where nobody who has Redis can reach it.
import { compare } from '../domain/ledger.ts';
import type { Reporter } from '../ports.ts';
import type { BotDeps } from './deps.ts';
import type { Chained, Ledger } from './ledger.ts';

export interface AnchorDeps extends Pick<BotDeps, 'clock' | 'locks'> {
  ledger: Ledger;
}

/** An entry stays short enough for one line of a log. */
const HEADS_PER_ENTRY = 100;

/** Writes how far all incidents have come. What a crash cuts off is in the next anchor. */
async function takeAnchor({ ledger, clock }: AnchorDeps, why: 'daily' | 'closed'): Promise<void> {
  for (let written = 0; ; ) {
    // Before looking: whatever was opened earlier than this is in it.
    const at = clock.now();
    const state = await ledger.read();
    const { heads, lost } = compare(state.known, await ledger.heads());
    if (heads.length === 0 && (why === 'closed' || written > 0)) return;
    const now = heads.slice(0, HEADS_PER_ENTRY);
    const anchor = { type: 'anchor' as const, why, heads: now, ...(lost.length > 0 && { lost }) };
    if ((await ledger.anchor(state, at, anchor)) !== 'conflict') written += 1;
  }
}

/** The end of an incident is anchored like a report: again until it is done, and the sweeper finds what was lost. */
export const anchorReporter = (deps: AnchorDeps): Reporter => ({
  name: 'anchor',
  async report(incident, events, cursor) {
    if (events.some(({ v, type }) => v > cursor && type === 'closed')) await takeAnchor(deps, 'closed');
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
    const { known, version } = await deps.ledger.read();
    const { daily } = known;
    const at = daily ? Date.parse(daily.at) + everyMs : now;
    if (at > now) return Math.min(at, soon);
    const { heads, lost } = compare(known, await deps.ledger.heads());
    const silent = heads.length === 0 && lost.length === 0 && version === (daily?.v ?? 0);
    if (!silent) await takeAnchor(deps, 'daily');
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
