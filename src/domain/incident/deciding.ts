// What a decision changes: an approval may be one of several, and the run keeps those that started it.
import { aboutNow, askAgain } from './believe.ts';
import type { Decision, Refused, Vote } from './decision.ts';
import { goesOn, votesToGoOn, wordFor } from './going-on.ts';
import type { Incident, Review, Run } from './incident.ts';
import { runOf } from './new-run.ts';
import { stoppedRun } from './runs.ts';

export function applyDecision(incident: Incident, decision: Decision, at: string, v: number): void {
  const { verb, by, reason = '' } = decision;
  if (verb === 'withdraw') incident.votes = incident.votes.filter((vote) => vote.by !== by);
  if (verb === 'review')
    for (const review of incident.reviews.filter((one) => one.by !== by))
      review.closed ??= { by, note: reason, at };
  if (verb === 'contain' || verb === 'approve' || goesOn(verb)) {
    const others = incident.votes.filter((vote) => vote.verb !== verb || vote.by !== by);
    incident.votes = [...others, voteOf(decision, at)];
    if ((decision.awaiting ?? 0) > 0) return;
  }
  const run = runOf(incident, decision, at, v);
  if (run === undefined) return;
  incident.runs.push(aboutNow(incident, { ...run, ...backing(incident, decision, at) }));
  if (verb === 'break-glass') incident.reviews.push({ by, reason, at });
  // The run that stopped is not the last one any more.
  incident.votes = incident.votes.filter(
    (vote) => vote.verb !== verb && verb !== 'break-glass' && !goesOn(vote.verb),
  );
}

function voteOf({ verb, by, hash, reason, together, groups = [] }: Decision, at: string): Vote {
  return {
    verb,
    by,
    groups,
    at,
    ...(hash && { hash }),
    ...(reason && { reason }),
    ...(together && { together }),
  };
}

/** On whose word a run stands: the worker asks again before each of its steps. */
function backing(
  incident: Incident,
  decision: Decision,
  at: string,
): Pick<Run, 'votes' | 'basis' | 'breakGlass' | 'again'> {
  const { verb, hash, by, groups = [] } = decision;
  const own = voteOf(decision, at);
  if (verb === 'break-glass') return { votes: [own], breakGlass: { id: by, groups } };
  if (verb === 'contain' || verb === 'approve')
    return { votes: incident.votes.filter((vote) => vote.verb === verb && vote.hash === hash) };
  const stopped = goesOn(verb) ? stoppedRun(incident) : undefined;
  if (!goesOn(verb) || stopped === undefined) return { votes: [own] };
  const others = votesToGoOn(incident, verb).filter((vote) => vote.by !== by);
  const { kind: _, ...word } = wordFor(stopped, verb, [...others, own]);
  return { ...word, ...(verb !== 'roll-back' && { again: own }) };
}

/** The worker's policy does not let this person do it: what it had changed is as before. */
export function takeBack(incident: Incident, verb: Refused, by: string): void {
  if (verb === 'outside') delete incident.outside;
  else if (verb === 'cancel-soak') delete incident.soakCancelled;
  else if (verb === 'leave-out') incident.leftOut = incident.leftOut.filter((one) => one.by !== by);
  else if (verb === 'review')
    for (const review of incident.reviews.filter(closedBy(by))) delete review.closed;
  else askAgain(incident);
}

const closedBy =
  (by: string) =>
  ({ closed }: Review): boolean =>
    closed?.by === by;
