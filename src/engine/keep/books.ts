// Keeps the books, a turn at a time: purges what is old, takes the daily anchor, and publishes the ledger outside Redis.
import { inWords } from '../../domain/duration.ts';
import { isAppError } from '../../errors.ts';
import type { BotDeps } from '../ground/deps.ts';
import { type AnchorDeps, anchorDaily, type Publisher, publishLedger } from './anchors.ts';
import { type PurgeDeps, purge } from './purge.ts';

export interface BookOptions {
  /** Milliseconds between two daily anchors. */
  anchorEvery: number;
  /** Milliseconds that closed incidents are kept; absent: for ever. */
  keepFor?: number | undefined;
  /** Read at each turn: Slack is one of them once it has answered. */
  publishers: readonly Publisher[];
  /** Ends a purge between two incidents. */
  stopping: AbortSignal;
}

type BookDeps = AnchorDeps & PurgeDeps & Pick<BotDeps, 'logger'>;

const HOUR = 3_600_000;
const LONGEST_WAIT_MS = 600_000;
const PURGE_LOCK_MS = 10_000;

/** What is answered does whatever is due now; call it again and again. Throws AppError where Redis or the ledger fails. */
export function bookkeeper(deps: BookDeps, options: BookOptions): () => Promise<void> {
  const next = { anchor: 0, purge: 0 };
  const resting = new Map<string, { until: number; wait: number }>();
  return async () => {
    const now = deps.clock.now();
    if (now >= next.purge) {
      next.purge = now + HOUR;
      await purgeOld(deps, options);
    }
    if (now >= next.anchor) next.anchor = await anchorDaily(deps, options.anchorEvery);
    for (const publisher of options.publishers) {
      const rest = resting.get(publisher.name);
      if (rest && now < rest.until) continue;
      try {
        await publishLedger(deps, publisher);
        resting.delete(publisher.name);
      } catch (err) {
        if (!isAppError(err) || isAppError(err, 'store-unavailable', 'log-damaged')) throw err;
        const wait = Math.min(LONGEST_WAIT_MS, (rest?.wait ?? 2500) * 2);
        resting.set(publisher.name, { until: now + wait, wait });
        deps.logger.warn({ err, publisher: publisher.name }, 'an anchor could not be published; tried again');
      }
    }
  };
}

async function purgeOld(deps: BookDeps, { keepFor, stopping }: BookOptions): Promise<void> {
  if (keepFor === undefined) return;
  const lock = await deps.locks.take('purge', PURGE_LOCK_MS);
  if (lock === undefined) return;
  try {
    const before = deps.clock.now() - keepFor;
    const by = `retention.keepFor ${inWords(keepFor)}`;
    const { purged, kept } = await purge(deps, { before, by, signal: stopping });
    if (purged.length > 0)
      deps.logger.info({ purged: purged.length, kept: kept.length, by }, 'purged old incidents');
  } finally {
    await lock.release();
  }
}
