// Whose approval counts for what, and how many are still missing: the same arithmetic for the bot at a click and the worker at a step.

import type { Vote } from './decision.ts';
import type { Incident } from './incident.ts';
import type { Ask, Policy } from './policy.ts';

/** Somebody who approves: the Slack user id, and the user groups that Slack said they are in when they clicked. */
export interface Voter {
  id: string;
  groups: readonly string[];
}

export const isGroup = (who: string): boolean => who.startsWith('S');

/** Every user group that could ever matter, to be asked for at a click. */
export const groupsOf = ({ rules, breakGlass }: Policy): string[] => {
  const asked = rules.flatMap(({ do: deeds }) =>
    Object.values(deeds).flatMap((decision) => (typeof decision === 'string' ? [] : decision.from)),
  );
  return [...new Set([...asked, ...breakGlass].filter(isGroup))];
};

/** A group with members in the configuration counts only for those, whatever was recorded. */
export function isNamed({ people, groupMembers }: Policy, from: readonly string[], voter: Voter): boolean {
  return from.some((who) => {
    if (who === 'approvers' || who === 'responders') return people[who].includes(voter.id);
    if (!isGroup(who)) return who === voter.id;
    return voter.groups.includes(who) && (groupMembers[who]?.includes(voter.id) ?? true);
  });
}

/** Slack user ids, as far as the configuration knows them, and ids of groups that only Slack knows. */
export function namedBy({ people, groupMembers }: Policy, from: readonly string[]) {
  const users = from.flatMap((who) => {
    if (who === 'approvers' || who === 'responders') return people[who];
    return isGroup(who) ? (groupMembers[who] ?? []) : [who];
  });
  return { users: [...new Set(users)], groups: from.filter((who) => isGroup(who) && !groupMembers[who]) };
}

export const counts = (policy: Policy, ask: Ask, voter: Voter, requesters: readonly string[]): boolean =>
  isNamed(policy, ask.from, voter) && !(ask.excludeRequester && requesters.includes(voter.id));

/** What of a vote decides whether it counts. */
export type Counted = Pick<Vote, 'by' | 'groups' | 'reason' | 'together' | 'at'>;

/** An approval counts for as long as the plan could have waited for it. `at`: Unix milliseconds. */
export const isFresh = ({ expiry }: Pick<Ask, 'expiry'>, vote: Pick<Vote, 'at'>, at: number): boolean =>
  at - Date.parse(vote.at) <= expiry;

/** How many more different people must approve, at that moment. */
export function missing(
  policy: Policy,
  ask: Ask,
  votes: readonly Counted[],
  requesters: readonly string[],
  at: number,
): number {
  const counted = votes.filter(
    ({ by, groups, reason, together, at: given }) =>
      counts(policy, ask, { id: by, groups }, requesters) &&
      isFresh(ask, { at: given }, at) &&
      !(ask.reason && !reason?.trim()) &&
      !(together && !ask.group),
  );
  return Math.max(0, ask.approvals - new Set(counted.map(({ by }) => by)).size);
}

/** Those that count for what is on the card now. */
export const votesFor = ({ votes }: Incident, verb: Vote['verb'], hash: string | undefined): Vote[] =>
  votes.filter((vote) => vote.verb === verb && vote.hash === hash);

/** People who asked for this: whoever reported it, said which token it is, or did so for the same ServiceAccount elsewhere. */
export const requesters = (incident: Incident): string[] => [
  ...new Set([...askedHere(incident), ...incident.alsoAsked.map(({ by }) => by)]),
];

/** Those of this incident alone. */
export function askedHere(incident: Incident): string[] {
  const reporters = incident.alerts.flatMap(({ alert }) => alert.reporter ?? []);
  const identifiers = incident.decisions.filter(({ decision }) => decision.verb === 'identify');
  return [...new Set([...reporters, ...identifiers.map(({ decision }) => decision.by)])];
}

/** Where somebody ran a plan alone and nobody else has said what they think of it. */
export const openReviews = ({ reviews }: Incident) => reviews.filter((review) => review.closed === undefined);
