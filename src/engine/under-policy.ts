// A plan as the policy leaves it: without what is never allowed, and with the time that it may wait for approval.
import type { Incident } from '../domain/incident.ts';
import type { Plan, Step } from '../domain/plan.ts';
import { without } from '../domain/plan-hash.ts';
import { requirementFor, requirementForPlan } from '../domain/policy.ts';
import { factsOf } from '../domain/policy-match.ts';
import type { WorkerDeps } from './deps.ts';

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

const forbiddenNote = ({ title, kubectl }: Step, rule: string): string =>
  `${title}: the policy never allows it (rule "${rule}"), so it is not in the plan. By hand: ${kubectl.join(' ; ')}`;
