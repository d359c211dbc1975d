// Tries by dry run what a roll-out would write first to each of its workloads.
import type { StepTrial } from '../../contracts/action.ts';
import type { Rehearsed } from '../../domain/plan/rehearsal.ts';
import { eachTrial, trial } from '../rehearsal/trial.ts';
import { bareAgain } from './advance.ts';
import type { RollOut } from './params.ts';
import { type Change, standingOf, type View } from './standing.ts';
import { resourceOf, survey } from './survey.ts';

/** As if every Pod that is there now were an old one, which it will be when it begins. */
export async function rehearse(
  { cluster, memory: { skipped = [] } }: StepTrial,
  params: RollOut,
  change: Change,
): Promise<Rehearsed[]> {
  const { namespace } = params;
  const targets = params.workloads.filter(({ kind, name }) => !skipped.includes(`${kind}/${name}`));
  if (targets.length === 0) return [];
  const seen = await survey(cluster, namespace, targets);
  const existing = new Set(seen.pods.map(({ metadata }) => metadata.uid));
  const view: View = { params, change, existing, touched: [], kept: [] };
  return await eachTrial(targets, async (target): Promise<Rehearsed[]> => {
    const { next, path: workload } = standingOf(target, seen, view);
    const resource = resourceOf(target.kind);
    if (next?.do === 'remove-bare')
      return await trial(bareAgain(cluster, namespace, next.pod, change), 'goes-first');
    if (next?.do !== 'patch' || resource === undefined) return [];
    const { patch } = next;
    const write = () => cluster.tryPatch({ resource, namespace, name: target.name }, patch);
    return await trial({ path: `${target.kind} ${namespace}/${target.name}`, workload, write });
  });
}
