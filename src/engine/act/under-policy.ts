// A plan as the policy leaves it: without what is never allowed, and with the time that it may wait for approval.
import type { Incident } from '../../domain/incident/incident.ts';
import type { Plan, Step } from '../../domain/plan/plan.ts';
import { without } from '../../domain/plan/plan-hash.ts';
import { factsOf } from '../../domain/rules/match.ts';
import { requirementFor, requirementForPlan } from '../../domain/rules/policy.ts';
import type { WorkerDeps } from '../ground/deps.ts';
import { change, enqueue, openSession } from '../ground/session.ts';

export function underPolicy(
  { settings: { policy } }: WorkerDeps,
  incident: Incident,
  proposed: Plan,
): { plan: Plan; expiry: number } {
  const facts = (cluster: string) => factsOf(incident, cluster);
  const forbidden = proposed.steps.flatMap((step) => {
    const known = facts(step.cluster);
    const requirement = known && requirementFor(policy, step, known);
    return requirement?.kind === 'never' ? [{ step, note: forbiddenNote(step, requirement.rule) }] : [];
  });
  const left = without(
    proposed,
    forbidden.map(({ step }) => step),
  );
  const plan = { ...left, notes: [...left.notes, ...forbidden.map(({ note }) => note)] };
  const needed = requirementForPlan(policy, plan.steps, facts);
  return { plan, expiry: needed.kind === 'approve' ? needed.expiry : policy.approvalExpiry };
}

/** After a change of the policy: what waits for approval under an older one is looked at again, and its approvals are void. */
export async function planAnew(deps: WorkerDeps): Promise<number> {
  const { version } = deps.settings.policy;
  let replanned = 0;
  for (const id of await deps.log.toSweep()) {
    const session = await openSession(deps, id);
    if (session === undefined) continue;
    const changed = await change(deps, session, ({ status, planPolicy }) =>
      status === 'awaiting-approval' && planPolicy !== undefined && planPolicy !== version
        ? [{ type: 'plan-expired', why: 'policy-changed' }]
        : undefined,
    );
    if (!changed) continue;
    replanned += 1;
    await enqueue(deps, session);
  }
  return replanned;
}

const forbiddenNote = ({ title, kubectl }: Step, rule: string): string =>
  `${title}: the policy never allows it (rule "${rule}"), so it is not in the plan. By hand: ${kubectl.join(' ; ')}`;
