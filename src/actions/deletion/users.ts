// The last look before something is deleted: who uses it now, whatever was planned or soaked before.
import type { StepTools } from '../../contracts/action.ts';
import type { Stake } from '../../domain/kubernetes/pod-references.ts';
import { consumersOf, pathOf } from '../../domain/situation/consumers.ts';
import type { Listed } from '../../domain/situation/listed.ts';
import { listedIn } from './listed.ts';

/** Pods that are ending are waited for, no longer than this. */
const PATIENCE_MS = 120_000;
const LOOK_EVERY_MS = 2000;

/**
 * Pods, and templates that would make such Pods, also where none runs now: `Kind/name` each. Pods that are ending alone are
 * given the time to do so, or do not count where there is no time.
 */
export async function usersNow(
  { cluster, now, sleep }: Pick<StepTools, 'cluster' | 'now' | 'sleep'>,
  namespace: string,
  stake: Stake,
  ending: 'wait' | 'ignore' = 'wait',
): Promise<string[]> {
  const until = now() + PATIENCE_MS;
  for (;;) {
    const listed = await listedIn(cluster, namespace);
    const using = (pods: Listed['pods']): string[] =>
      consumersOf({ ...listed, pods }, stake).workloads.map(pathOf);
    const all = using(listed.pods);
    const staying = using(listed.pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined));
    if (ending === 'ignore') return staying;
    if (all.length === 0 || staying.length > 0 || now() >= until) return all;
    await sleep(LOOK_EVERY_MS);
  }
}

/** In few words. */
export const some = (users: readonly string[]): string =>
  `${users.slice(0, 10).join(', ')}${users.length > 10 ? ` and ${users.length - 10} more` : ''}`;
