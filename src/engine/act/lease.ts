// Keeps two processes, and two incidents, from changing one ServiceAccount and its workloads at the same time.
import type { Incident, Run } from '../../domain/incident/incident.ts';
import { kills } from '../../domain/plan/plan.ts';
import { AppError } from '../../errors.ts';
import type { Held } from '../../ports/locks.ts';
import type { BotDeps } from '../ground/deps.ts';

/** Lapse when the holder dies. The target's first, so that whoever takes a dead run up again finds its target free. */
const RUN_MS = 10_000;
const TARGET_MS = 8000;

/**
 * Undefined: a twin of this job is at it. Throws AppError where another incident changes the same ServiceAccount: then
 * this one is tried again later. Containment and its undo are one write and never wait.
 */
export async function leaseFor(
  { locks }: BotDeps,
  { id, identity }: Incident,
  run: Run,
): Promise<Held | undefined> {
  if (isOneWrite(run)) return { held: () => true, release: async () => {} };
  const held: Held[] = [];
  const release = async (): Promise<void> => {
    for (const lease of held.toReversed()) await lease.release();
  };
  const own = await locks.take(`run:${id}`, RUN_MS);
  if (own === undefined) return undefined;
  held.push(own);
  for (const target of targets(identity)) {
    const taken = await locks.take(`change:${target}`, TARGET_MS);
    if (taken === undefined) {
      await release();
      throw new AppError(
        'conflict',
        `Another incident is changing ${target} right now, and this run waits for it. Nothing was changed.`,
        { retry: true },
      );
    }
    held.push(taken);
  }
  return { held: () => held.every((lease) => lease.held()), release };
}

/** The undo of a rotation also moves workloads back, which takes its time. */
const isOneWrite = ({ kind, steps }: Run): boolean =>
  kind === 'contain' || (kind === 'undo' && steps.every(({ step }) => kills(step)));

/** Sorted, so that two that want the same ones do not wait for each other. */
const targets = (identity: Incident['identity']): string[] =>
  (identity?.clusters ?? [])
    .map((cluster) => `${cluster}/${identity?.namespace}/${identity?.serviceAccount.name}`)
    .sort();
