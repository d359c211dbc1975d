// What the present plan still needs, by the policy: which rules ask, whose votes count, how many are missing. Pure.
import type { Click, Person, Roster } from './approval.ts';
import type { Incident, Verb, Vote } from './incident.ts';
import { type Ask, DEFAULT_RULE, type PlanRequirement, type Policy, requirementForPlan } from './policy.ts';
import { factsOf } from './policy-match.ts';
import { pendingSteps } from './runs.ts';
import { type Counted, missing, namedBy, requesters, type Voter, votesFor } from './votes.ts';

/** Slack mrkdwn: the people and user groups that these words stand for. */
export function mentions(policy: Policy, from: readonly string[], not: readonly string[] = []): string {
  const { users, groups } = namedBy(policy, from);
  const people = users.filter((id) => !not.includes(id)).map((id) => `<@${id}>`);
  return [...groups.map((id) => `<!subteam^${id}>`), ...people].join(', ');
}

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

/** How many more people must approve, if this person does too; 0: it runs. */
export function awaitingAfter(incident: Incident, click: Click, { policy }: Roster): number {
  if (click.verb !== 'contain' && click.verb !== 'approve') return 0;
  const { verb, by, hash, reason, together } = click;
  const mine = {
    by: by.id,
    groups: by.groups ?? [],
    ...(reason && { reason }),
    ...(together && { together }),
  };
  const votes = [...votesFor(incident, verb, hash), mine];
  return stillMissing(incident, verb, policy, votes);
}

export function stillMissing(
  incident: Incident,
  verb: Vote['verb'],
  policy: Policy,
  votes: readonly Counted[],
): number {
  const asked = requesters(incident);
  return Math.max(0, ...asksFor(incident, verb, policy).map((ask) => missing(policy, ask, votes, asked)));
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
export const needsReason = (incident: Incident, verb: Verb, policy: Policy): boolean =>
  NEEDS_REASON.includes(verb) || asksFor(incident, verb, policy).some(({ reason }) => reason);
