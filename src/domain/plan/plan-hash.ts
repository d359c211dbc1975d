// The hash that a click binds to: what will be done to which object, and nothing that changes by itself.
import { createHash } from 'node:crypto';
import type { Plan, Step } from './plan.ts';
import { PHASES } from './plan.ts';

/** Actions, parameters and cluster of each step; never titles, resourceVersions or anything that Pods churn. */
export function hashSteps(steps: readonly Step[], context: readonly string[] = []): string {
  const bound = steps.map(({ action, cluster, params }) => [action, cluster, sorted(params)]);
  return createHash('sha256')
    .update(JSON.stringify([bound, [...context].sort()]))
    .digest('hex')
    .slice(0, 32);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, inner]) => [key, sorted(inner)]);
}

/** `context`: ServiceAccount UIDs and owning workloads, so that a new consumer makes the plan a new one. */
export function makePlan(steps: Step[], notes: string[], context: readonly string[]): Plan {
  const ordered = PHASES.flatMap((phase) => steps.filter((step) => step.phase === phase));
  const contain = ordered.filter((step) => step.phase === 'contain');
  return {
    steps: ordered,
    notes,
    hash: hashSteps(ordered, context),
    containHash: contain.length > 0 ? hashSteps(contain) : '',
  };
}

/** The plan without some of its steps, under hashes of its own. */
export function without(plan: Plan, removed: readonly Step[]): Plan {
  if (removed.length === 0) return plan;
  const steps = plan.steps.filter((step) => !removed.includes(step));
  // The old hash stands for everything else that it was bound to.
  return makePlan(steps, plan.notes, [plan.hash]);
}
