// Whose approval counts for what, and how many are still missing: the same arithmetic for the bot at a click and the worker at a step.
import type { Vote } from '../incident/decision.ts';
import { isNamed, type Voter } from '../rules/named.ts';
import type { Ask, Policy } from '../rules/policy.ts';

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
