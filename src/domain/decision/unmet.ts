// What is still missing for a run to go on that stopped, or to be taken back: the word of those who approved it, as long as it counts, and then theirs anew. Pure.
import { requesters } from '../incident/asked.ts';
import type { Vote } from '../incident/decision.ts';
import { type GoingOn, type Word, wordFor } from '../incident/going-on.ts';
import type { Incident, Run } from '../incident/incident.ts';
import { rollBackSteps } from '../incident/new-run.ts';
import { stoppedRun } from '../incident/runs.ts';
import type { Step } from '../plan/plan.ts';
import { factsOf } from '../rules/match.ts';
import { isNamed } from '../rules/named.ts';
import {
  type Allowed,
  type Ask,
  asksTogether,
  DEFAULT_RULE,
  type Policy,
  requirementFor,
} from '../rules/policy.ts';
import { isFresh, missing } from './votes.ts';

export interface Unmet {
  ask: Ask;
  /** How many people. */
  more: number;
}

/** What these steps still need at that moment. `at`: Unix milliseconds. */
export const unmet = (
  policy: Policy,
  incident: Incident,
  word: Word,
  steps: readonly Step[],
  at: number,
): Unmet[] =>
  unmetOf(policy, incident, word, word.kind === 'undo' ? [] : asksOf(policy, incident, steps), at);

/** `asks`: of the steps. */
function unmetOf(
  policy: Policy,
  incident: Incident,
  { kind, votes, basis = [], breakGlass }: Word,
  asks: readonly Ask[],
  at: number,
): Unmet[] {
  const asked = requesters(incident);
  const over = (asks: readonly Ask[], given: readonly Vote[]): Unmet[] =>
    asks.flatMap((ask) => {
      const more = missing(policy, ask, given, asked, at);
      return more > 0 ? [{ ask, more }] : [];
    });
  if (kind === 'undo') return over([oneApprover(policy)], votes);
  // Whoever approves a plan approves that it is taken back; that it is, an approver says.
  if (kind === 'roll-back')
    return [...over([oneApprover(policy)], votes), ...over(asks, [...basis, ...votes])];
  if (breakGlass && holdsGlass(policy, { votes, breakGlass }, asks, at)) return [];
  return over(asks, votes);
}

const oneApprover = ({ approvalExpiry: expiry }: Policy): Ask => ({
  approvals: 1,
  from: ['approvers'],
  excludeRequester: false,
  expiry,
  reason: false,
  group: false,
  rule: DEFAULT_RULE,
});

/** What was allowed then and never is now is taken back all the same; the worker refuses to do it. */
function asksOf(policy: Policy, incident: Incident, steps: readonly Step[]): Ask[] {
  const allowed = steps.flatMap((step): Allowed[] => {
    const facts = factsOf(incident, step.cluster);
    const requirement = facts && requirementFor(policy, step, facts);
    return requirement === undefined || requirement.kind === 'never' ? [] : [requirement];
  });
  return asksTogether(allowed);
}

/** An emergency is over some time, too. */
export function holdsGlass(
  policy: Policy,
  { votes, breakGlass }: Pick<Run, 'votes' | 'breakGlass'>,
  asks: readonly Ask[],
  at: number,
): boolean {
  const broken = votes.find(({ verb }) => verb === 'break-glass');
  return (
    breakGlass !== undefined &&
    isNamed(policy, policy.breakGlass, breakGlass) &&
    broken !== undefined &&
    asks.every((ask) => isFresh(ask, broken, at))
  );
}

/** What the policy asks of whoever has a run go on, evaluated once. */
export interface Terms {
  /** Those that whoever presses this button now could meet; none: what was given still counts. */
  asks: Ask[];
  /** How many more people must approve where these have. */
  missing(fresh: readonly Vote[]): number;
}

export function termsToGoOn(incident: Incident, verb: GoingOn, policy: Policy, now: number): Terms {
  const stopped = stoppedRun(incident);
  if (stopped === undefined) return { asks: [], missing: () => 0 };
  const steps =
    verb === 'roll-back'
      ? rollBackSteps(incident)
      : stopped.steps.filter(({ outcome }) => outcome?.verdict !== 'done').map(({ step }) => step);
  const asked = asksOf(policy, incident, steps);
  const unmetBy = (fresh: readonly Vote[]): Unmet[] =>
    unmetOf(policy, incident, wordFor(stopped, verb, fresh), asked, now);
  return {
    asks: unmetBy([]).map(({ ask }) => ask),
    missing: (fresh) => Math.max(0, ...unmetBy(fresh).map(({ more }) => more)),
  };
}

/**
 * The moment at which what a run stands on must count: when it begins, however long it waited for a worker before; a
 * quarantine waits for nobody. What was approved with a plan to happen later is counted when the rest of it was.
 */
export function countedAt({ kind, at, approvedAt, steps }: Run, now: number): number {
  if (approvedAt !== undefined) return Date.parse(approvedAt);
  if (kind === 'contain') return Date.parse(at);
  return Math.min(now, ...steps.flatMap(({ startedAt }) => (startedAt ? [Date.parse(startedAt)] : [])));
}
