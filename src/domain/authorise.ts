// Whether a step may run, asked again right before it does: by this process's own policy, whatever the log says was approved. Pure.
import type { Incident, Run } from './incident.ts';
import type { Step } from './plan.ts';
import { type Ask, type Policy, requirementFor } from './policy.ts';
import { factsOf } from './policy-match.ts';
import { takesBack } from './runs.ts';
import { isNamed, missing, requesters } from './votes.ts';

/** Undefined: it may. Otherwise a sentence for the card and the log. */
export function unauthorised(policy: Policy, incident: Incident, run: Run, step: Step): string | undefined {
  const facts = factsOf(incident, step.cluster);
  if (facts === undefined) return 'It is not known whose token this is, so nothing is done to it.';
  if (takesBack(run)) return undoRefused(policy, run);
  const requirement = requirementFor(policy, step, facts);
  const by = `the rule "${requirement.rule}" of this worker's policy ${policy.version}`;
  if (requirement.kind === 'never') return `"${step.title}" was not run: ${by} never allows it.`;
  if (run.by === 'policy')
    return requirement.kind === 'auto'
      ? undefined
      : `"${step.title}" was not run: ${by} asks a person first.`;
  if (run.breakGlass)
    return isNamed(policy, policy.breakGlass, run.breakGlass)
      ? undefined
      : `"${step.title}" was not run: this worker's policy ${policy.version} does not let ${run.breakGlass.id} break the glass.`;
  const asked = requesters(incident);
  const asks =
    requirement.kind === 'auto' ? asksBeside(policy, incident, run, requirement.ask) : [requirement.ask];
  const more = Math.max(...asks.map((ask) => missing(policy, ask, run.votes, asked)));
  if (more === 0) return undefined;
  return `"${step.title}" was not run: ${by} needs ${more} more ${more === 1 ? 'approval' : 'approvals'} than were given. Approve again with the people whom the card names.`;
}

/** What may run by itself needs nobody more than the rest of its run does. */
function asksBeside(policy: Policy, incident: Incident, run: Run, otherwise: Ask): Ask[] {
  const asks = run.steps.flatMap(({ step }) => {
    const facts = factsOf(incident, step.cluster);
    const requirement = facts && requirementFor(policy, step, facts);
    return requirement?.kind === 'approve' ? [requirement.ask] : [];
  });
  return asks.length > 0 ? asks : [otherwise];
}

const undoRefused = (policy: Policy, run: Run): string | undefined =>
  run.votes.some(({ by, groups }) => isNamed(policy, ['approvers'], { id: by, groups }))
    ? undefined
    : `Nothing was taken back: ${run.by} is no approver in this worker's configuration.`;
