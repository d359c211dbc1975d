// What the present plan still needs, by the policy: which rules ask, whose votes count, how many are missing. Pure.

import { requesters, votesFor } from '../incident/asked.ts';
import type { Verb, Vote } from '../incident/decision.ts';
import { goesOn, votesToGoOn } from '../incident/going-on.ts';
import type { Incident } from '../incident/incident.ts';
import { pendingSteps } from '../incident/runs.ts';
import { factsOf } from '../rules/match.ts';
import type { Voter } from '../rules/named.ts';
import {
  type Ask,
  DEFAULT_RULE,
  type PlanRequirement,
  type Policy,
  requirementForPlan,
} from '../rules/policy.ts';
import type { Click, Person } from './click.ts';
import { termsToGoOn } from './unmet.ts';
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

/** What the policy says to one press, whoever presses: evaluated once, for everything that depends on it. */
export interface Ruling {
  /** A step that the press is about and that the policy never allows. */
  never?: Extract<PlanRequirement, { kind: 'never' }>;
  /** What the press itself needs: of the steps that it starts, or of a run that goes on where another stopped. */
  asks: readonly Ask[];
  /** Who may press at all. */
  from: readonly string[];
  /** How many more people must approve where these have; 0: it runs. */
  missing(votes: readonly Vote[]): number;
}

/** `now`: Unix milliseconds. */
export function rulingOn(incident: Incident, verb: Verb, policy: Policy, now: number): Ruling {
  if (goesOn(verb)) {
    const terms = termsToGoOn(incident, verb, policy, now);
    return { ...terms, from: namedUnder(incident, verb, policy, []) };
  }
  const needed = PLANNED.includes(verb)
    ? neededFor(incident, verb === 'contain' ? 'contain' : 'approve', policy)
    : undefined;
  const found = needed?.kind === 'approve' ? needed.asks : [];
  const asks = verb === 'contain' || verb === 'approve' ? found : [];
  return {
    ...(needed?.kind === 'never' && { never: needed }),
    asks,
    from: namedUnder(incident, verb, policy, found),
    missing(votes) {
      const asked = requesters(incident);
      return Math.max(0, ...asks.map((ask) => missing(policy, ask, votes, asked, now)));
    },
  };
}

/** About the steps of the plan, so that who may press depends on what those need, or whether it may be done at all. */
const PLANNED: readonly Verb[] = ['contain', 'approve', 'break-glass', 'withdraw', 'decline'];

/** The same for every button that approvals press: also what a run needs now that goes on where another stopped. */
export const asksAt = (incident: Incident, verb: Verb, policy: Policy, now: number): readonly Ask[] =>
  rulingOn(incident, verb, policy, now).asks;

/** Those that could count for this press. */
export const votesAt = (incident: Incident, verb: Verb, hash: string | undefined): Vote[] =>
  goesOn(verb) ? votesToGoOn(incident, verb) : votesFor(incident, verb, hash);

/** How many more people must approve, if this person does too; 0: it runs. */
export function awaitingAfter(incident: Incident, click: Click, ruling: Ruling, now: number): number {
  const { verb, by, hash, reason, together } = click;
  const mine: Vote = {
    verb,
    by: by.id,
    groups: by.groups ?? [],
    at: new Date(now).toISOString(),
    ...(reason && { reason }),
    ...(together && { together }),
  };
  return ruling.missing([...votesAt(incident, verb, hash), mine]);
}

const RESPONDING: readonly Verb[] = ['identify', 'retry', 'cancel-soak', 'choose', 'outside'];

/** Who may do a thing at all; for votes, what the policy asks for it. */
export const namedFor = (incident: Incident, verb: Verb, policy: Policy): readonly string[] =>
  namedUnder(
    incident,
    verb,
    policy,
    PLANNED.includes(verb) ? asksFor(incident, verb === 'contain' ? verb : 'approve', policy) : [],
  );

/** `asks`: what the steps need that the press is about. */
function namedUnder(incident: Incident, verb: Verb, policy: Policy, asks: readonly Ask[]): readonly string[] {
  if (verb === 'break-glass') return policy.breakGlass;
  if (RESPONDING.includes(verb)) return ['responders', 'approvers'];
  const asked = asks.flatMap(({ from }) => from);
  if (verb === 'contain' || verb === 'approve') return asked.length > 0 ? asked : ['approvers'];
  // Also whoever has given one, about the plan or about the run that stopped.
  if (verb === 'withdraw')
    return ['responders', 'approvers', ...asked, ...incident.votes.map(({ by }) => by)];
  // Who may start a plan may stop one.
  return verb === 'decline' ? ['approvers', ...asked] : ['approvers'];
}

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
  wantsReason(verb, asksAt(incident, verb, policy, now));

export const wantsReason = (verb: Verb, asks: readonly Ask[]): boolean =>
  NEEDS_REASON.includes(verb) || asks.some(({ reason }) => reason);
