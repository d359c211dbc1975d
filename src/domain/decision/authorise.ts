// Whether a step may run, asked again right before it does: by this process's own policy, whatever the log says was approved. Pure.
import { requesters } from '../incident/asked.ts';
import type { Refused } from '../incident/decision.ts';
import type { Incident, Run } from '../incident/incident.ts';
import { takesBack } from '../incident/runs.ts';
import type { Step } from '../plan/plan.ts';
import { factsOf } from '../rules/match.ts';
import { isNamed, type Voter } from '../rules/named.ts';
import { type Ask, type Policy, requirementFor } from '../rules/policy.ts';
import { namedFor } from './needed.ts';
import { countedAt, holdsGlass, unmet } from './unmet.ts';
import { missing } from './votes.ts';

/** Undefined: whoever had this run tried again, or go on without something, may. Otherwise a sentence for the card and the log. */
export function wrongAgain(policy: Policy, incident: Incident, run: Run): string | undefined {
  const { again, steps } = run;
  if (again === undefined) return undefined;
  // Whoever may approve it anew may have it go on as well.
  const approving = steps
    .flatMap(({ step }) => asksOfStep(policy, incident, step))
    .flatMap(({ from }) => from);
  const allowed = [...namedFor(incident, again.verb, policy), ...approving];
  if (isNamed(policy, allowed, asVoter(again))) return undefined;
  const what = again.verb === 'skip' ? 'have a run go on without what holds it up' : 'try a run again';
  return `Nothing was run: this worker's policy ${policy.version} does not let ${again.by} ${what}. Somebody who may must press the button.`;
}

export interface RefusedDecision {
  verb: Refused;
  by: string;
  reason: string;
}

/** Decisions that start no run and that the worker would act on, of people whom its own policy does not let. */
export function wrongDecisions(policy: Policy, incident: Incident): RefusedDecision[] {
  const { outside, soakCancelled, reviews, closed, tokenHeld, leftOut } = incident;
  const made: { verb: Refused; by?: string }[] = [];
  if (outside && closed === undefined) made.push({ verb: 'outside' });
  if (soakCancelled) made.push({ verb: 'cancel-soak' });
  for (const by of new Set(leftOut.map((one) => one.by))) made.push({ verb: 'leave-out', by });
  // Each by whoever closed it: somebody else may have said the same after that.
  for (const by of new Set(reviews.flatMap((review) => review.closed?.by ?? [])))
    made.push({ verb: 'review', by });
  // What follows of these is that the sealed token is destroyed.
  if (tokenHeld && closed?.as === 'declined') made.push({ verb: 'decline' });
  if (tokenHeld && closed?.as === 'false-alarm') made.push({ verb: 'not-a-leak' });
  return made.flatMap(({ verb, by: whose }) => {
    const decision = incident.decisions.findLast(
      (one) => one.decision.verb === verb && (whose === undefined || one.decision.by === whose),
    )?.decision;
    if (decision && isNamed(policy, namedFor(incident, verb, policy), asVoter(decision))) return [];
    const by = decision?.by ?? '';
    const reason = `this worker's policy ${policy.version} does not let ${by || 'nobody'} do that`;
    return [{ verb, by, reason }];
  });
}

const asVoter = ({ by, groups = [] }: { by: string; groups?: string[] }): Voter => ({ id: by, groups });

/** Undefined: it may. Otherwise a sentence for the card and the log. */
export function unauthorised(
  policy: Policy,
  incident: Incident,
  run: Run,
  step: Step,
  now: number,
): string | undefined {
  const facts = factsOf(incident, step.cluster);
  if (facts === undefined) return 'It is not known whose token this is, so nothing is done to it.';
  const at = countedAt(run, now);
  if (takesBack(run)) return undoRefused(policy, incident, run, step, at);
  const requirement = requirementFor(policy, step, facts);
  const by = `the rule "${requirement.rule}" of this worker's policy ${policy.version}`;
  if (requirement.kind === 'never') return `"${step.title}" was not run: ${by} never allows it.`;
  if (run.by === 'policy')
    return requirement.kind === 'auto'
      ? undefined
      : `"${step.title}" was not run: ${by} asks a person first.`;
  if (run.breakGlass && !isNamed(policy, policy.breakGlass, run.breakGlass))
    return `"${step.title}" was not run: this worker's policy ${policy.version} does not let ${run.breakGlass.id} break the glass.`;
  const asks =
    requirement.kind === 'auto' ? asksBeside(policy, incident, run, requirement.asks) : requirement.asks;
  if (holdsGlass(policy, run, asks, at)) return undefined;
  const asked = requesters(incident);
  const more = Math.max(...asks.map((ask) => missing(policy, ask, run.votes, asked, at)));
  if (more === 0) return undefined;
  return `"${step.title}" was not run: ${by} needs ${more} more ${more === 1 ? 'approval' : 'approvals'} than were given and still count. Approve again with the people whom the card names.`;
}

function asksOfStep(policy: Policy, incident: Incident, step: Step): Ask[] {
  const facts = factsOf(incident, step.cluster);
  const requirement = facts && requirementFor(policy, step, facts);
  return requirement?.kind === 'approve' ? requirement.asks : [];
}

/** What may run by itself needs nobody more than the rest of its run does. */
function asksBeside(policy: Policy, incident: Incident, run: Run, otherwise: Ask[]): Ask[] {
  const asks = run.steps.flatMap(({ step }) => asksOfStep(policy, incident, step));
  return asks.length > 0 ? asks : otherwise;
}

function undoRefused(
  policy: Policy,
  incident: Incident,
  run: Run,
  step: Step,
  at: number,
): string | undefined {
  const [first] = unmet(policy, incident, run, [step], at);
  if (first === undefined) return undefined;
  if (!run.votes.some(({ by, groups }) => isNamed(policy, ['approvers'], { id: by, groups })))
    return `Nothing was taken back: ${run.by} is no approver in this worker's configuration.`;
  return `Nothing was taken back: the rule "${first.ask.rule}" of this worker's policy ${policy.version} needs ${first.more} more ${first.more === 1 ? 'approval' : 'approvals'} than were given and still count. Press the button again with the people whom the card names.`;
}
