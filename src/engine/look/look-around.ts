// Looks at every cluster that accepts the token, and proposes a plan: reads only, for the worker and for a person at a terminal.
import type { Goal } from '../../domain/plan/goal.ts';
import type { Plan } from '../../domain/plan/plan.ts';
import { dayOf, planFor } from '../../domain/plan/planner.ts';
import type { Pace } from '../../domain/plan/waves.ts';
import type { Situation } from '../../domain/situation/situation.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { ClusterView } from '../../ports/cluster.ts';
import type { LookDeps } from '../ground/deps.ts';
import { withAccess } from './access.ts';
import type { Search } from './copies.ts';
import { observe } from './observe.ts';

export interface Lookout extends Pick<LookDeps, 'clusters' | 'actions' | 'clock'> {
  pace: Pace;
  /** Where copies of the token may be looked for, by the name of the cluster. */
  searchOn(cluster: string): Search;
  /** Says more of whether the token works than the objects alone can, for who knows the token. */
  judge?: (cluster: ClusterView, liveness: Situation['liveness']) => Promise<Situation['liveness']>;
}

/** Throws AppError where no cluster could be looked at; what one of several could not tell is a note of the plan. */
export async function lookAround(
  lookout: Lookout,
  goal: Goal,
  identity: TokenIdentity,
): Promise<{ situations: Situation[]; plan: Plan }> {
  const { clusters, actions, clock, pace } = lookout;
  const { seen, problems } = await observeAll(lookout, identity);
  const now = clock.now();
  const situations = await withAccess(clusters, goal, identity, seen, dayOf(now));
  const plan = planFor(goal, identity, situations, actions, now, pace);
  const silent = problems.map(({ message }) => `${message} Its part of the plan is missing.`);
  const unchecked = (identity.unchecked ?? []).map(
    (name) =>
      `${name} could not be asked whether it accepts the token too; if it is a copy of this cluster, it may.`,
  );
  return { situations, plan: { ...plan, notes: [...plan.notes, ...silent, ...unchecked] } };
}

async function observeAll(
  { clusters, clock, searchOn, judge = async (_, liveness) => liveness }: Lookout,
  identity: TokenIdentity,
): Promise<{ seen: Situation[]; problems: AppError[] }> {
  const situations: Situation[] = [];
  const problems: AppError[] = [];
  await Promise.all(
    identity.clusters.map(async (name) => {
      const cluster = clusters.get(name);
      if (cluster === undefined) return;
      try {
        const seen = await observe(cluster, identity, clock.now(), searchOn(name));
        situations.push({ ...seen, liveness: await judge(cluster, seen.liveness) });
      } catch (error) {
        if (!isAppError(error)) throw error;
        problems.push(error);
      }
    }),
  );
  if (situations.length === 0)
    throw problems[0] ?? new AppError('not-found', 'No configured cluster is left to look at.');
  return { seen: situations.toSorted((a, b) => a.cluster.localeCompare(b.cluster)), problems };
}
