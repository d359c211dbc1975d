// Tries one write by server-side dry run, and says what that means for the write in earnest.
import type { Rehearsed } from '../../domain/plan/rehearsal.ts';
import { isAppError } from '../../errors.ts';

/** What a name that is taken means: the old object goes before, or it is there already as it should be. */
export type Taken = 'goes-first' | 'as-wanted';

/** `what.write` must ask for a dry run. Nothing is told of what would be let through. */
export async function trial(
  what: Pick<Rehearsed, 'path' | 'workload'> & { write: () => Promise<unknown> },
  taken: Taken = 'as-wanted',
): Promise<Rehearsed[]> {
  const { write, ...about } = what;
  try {
    await write();
    return [];
  } catch (error) {
    if (!isAppError(error)) throw error;
    if (error.code === 'conflict') return taken === 'as-wanted' ? [] : [{ ...about, ...STILL_THERE }];
    // A quota that is full has room again once the old object is gone.
    const sure = isAppError(error, 'denied', 'forbidden') && !error.retry;
    return [{ ...about, answer: sure ? 'refused' : 'unknown', detail: error.message }];
  }
}

const STILL_THERE = {
  answer: 'unknown',
  detail: 'The name is taken until the old one is gone; nothing refused it so far.',
} as const;

const AT_ONCE = 8;

/** Each in turn of so many: an API server has others to serve. */
export async function eachTrial<T>(
  items: readonly T[],
  tryOne: (item: T) => Promise<Rehearsed[]>,
): Promise<Rehearsed[]> {
  const found: Rehearsed[] = [];
  for (let from = 0; from < items.length; from += AT_ONCE)
    found.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map(tryOne))).flat());
  return found;
}
