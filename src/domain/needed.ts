// What the present plan still needs, by the policy: which rules ask, whose votes count, how many are missing. Pure.

import { requesters, votesFor } from './asked.ts';
import type { Click, Person, Roster } from './click.ts';
import type { Verb, Vote } from './decision.ts';
import { goesOn, votesToGoOn } from './going-on.ts';
import type { Incident } from './incident.ts';
import type { Voter } from './named.ts';
import { type Ask, DEFAULT_RULE, type PlanRequirement, type Policy, requirementForPlan } from './policy.ts';
import { factsOf } from './policy-match.ts';
import { pendingSteps } from './runs.ts';
import { asksToGoOn, missingToGoOn } from './unmet.ts';
import { missing } from './votes.ts';

export const voter = ({ id, groups = [] }: Person): Voter => ({ id, groups });

/** What the steps that a vote would start need, all together. */
export function neededFor(incident: Incident, verb: Vote['verb'], policy: Policy): PlanRequirement {
  const pending = pendingSteps(incident);
  const steps = verb === 'contain' ? pending.filter(({ phase }) => phase === 'contain') : pending;
  const needed = requirementForPlan(policy, steps, (cluster) => factsOf(incident, cluster));
  if (steps.length > 0 || needed.kind === 'never') return needed;
  const from = verb === 'contain' ? ['responders', 'approvers'] : ['approvers'];
  const none = {
    approvals: 1,
    from,
    excludeRequester: false,
    expiry: needed.expiry,
    reason: false,
    group: false,
    rule: DEFAULT_RULE,
  };
  return { ...needed, asks: [none] };
}

export const asksFor = (incident: Incident, verb: Verb, policy: Policy): Ask[] => {
  if (verb !== 'contain' && verb !== 'approve') return [];
  const needed = neededFor(incident, verb, policy);
  return needed.kind === 'approve' ? needed.asks : [];
};

/** The same for every button that approvals press: also what a run needs now that goes on where another stopped. */
export const asksAt = (incident: Incident, verb: Verb, policy: Policy, now: number): Ask[] =>
  goesOn(verb) ? asksToGoOn(incident, verb, policy, now) : asksFor(incident, verb, policy);

/** Those that could count for this press. */
export const votesAt = (incident: Incident, verb: Verb, hash: string | undefined): Vote[] =>
  goesOn(verb) ? votesToGoOn(incident, verb) : votesFor(incident, verb, hash);

/** How many more people must approve, if this person does too; 0: it runs. */
export function awaitingAfter(incident: Incident, click: Click, { policy }: Roster, now: number): number {
  const { verb, by, hash, reason, together } = click;
  const mine: Vote = {
    verb,
    by: by.id,
    groups: by.groups ?? [],
    at: new Date(now).toISOString(),
    ...(reason && { reason }),
    ...(together && { together }),
  };
  return stillMissing(incident, verb, policy, [...votesAt(incident, verb, hash), mine], now);
}

export function stillMissing(
  incident: Incident,
  verb: Verb,
  policy: Policy,
  votes: readonly Vote[],
  now: number,
): number {
  if (goesOn(verb)) return missingToGoOn(incident, verb, policy, votes, now);
  const asked = requesters(incident);
  const more = asksFor(incident, verb, policy).map((ask) => missing(policy, ask, votes, asked, now));
  return Math.max(0, ...more);
}

const RESPONDING: readonly Verb[] = ['identify', 'retry', 'cancel-soak', 'choose', 'outside'];

/** Who may do a thing at all; for votes, what the policy asks for it. */
export function namedFor(incident: Incident, verb: Verb, policy: Policy): readonly string[] {
  if (verb === 'break-glass') return policy.breakGlass;
  if (RESPONDING.includes(verb)) return ['responders', 'approvers'];
  if (verb === 'contain' || verb === 'approve') {
    const from = asksFor(incident, verb, policy).flatMap((ask) => ask.from);
    return from.length > 0 ? from : ['approvers'];
  }
  // Also whoever has given one, about the plan or about the run that stopped.
  if (verb === 'withdraw')
    return ['responders', 'approvers', ...asked(incident, policy), ...incident.votes.map(({ by }) => by)];
  // Who may start a plan may stop one.
  return verb === 'decline' ? ['approvers', ...asked(incident, policy)] : ['approvers'];
}

const asked = (incident: Incident, policy: Policy): string[] =>
  asksFor(incident, 'approve', policy).flatMap(({ from }) => from);

const NEEDS_REASON: readonly Verb[] = [
  'decline',
  'not-a-leak',
  'undo',
  'roll-back',
  'break-glass',
  'review',
  'outside',
  'leave-out',
];

/** Whether a button must ask why before anything is decided. */
export const needsReason = (incident: Incident, verb: Verb, policy: Policy, now: number): boolean =>
  NEEDS_REASON.includes(verb) || asksAt(incident, verb, policy, now).some(({ reason }) => reason);
