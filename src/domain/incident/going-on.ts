// On whose word a run goes on that stopped, or is taken back: on that of those who approved it, and of those who say so now. Pure.
import { votesFor } from './asked.ts';
import type { Verb, Vote } from './decision.ts';
import type { Incident, Run } from './incident.ts';
import { stoppedRun } from './runs.ts';

export type GoingOn = Extract<Verb, 'retry' | 'skip' | 'roll-back'>;

/** What is about the run that stopped, and not about the plan on the card. */
export const goesOn = (verb: Verb): verb is GoingOn => GOING_ON.includes(verb);
const GOING_ON: readonly Verb[] = ['retry', 'skip', 'roll-back'];

/** Those about the plan, which the next plan voids. */
export const planVotes = ({ votes }: Pick<Incident, 'votes'>): Vote[] =>
  votes.filter(({ verb }) => !goesOn(verb));

/** What a run stands on. */
export type Word = Pick<Run, 'kind' | 'votes' | 'basis' | 'breakGlass'>;

/** The word of the run that stopped, and of those who have it go on. */
export function wordFor(stopped: Run, verb: GoingOn, fresh: readonly Vote[]): Word {
  if (verb === 'roll-back') return { kind: 'roll-back', votes: [...fresh], basis: stopped.votes };
  const { kind, votes, basis, breakGlass } = stopped;
  return {
    kind,
    votes: [...votes, ...fresh],
    ...(basis && { basis }),
    ...(breakGlass && { breakGlass }),
  };
}

/** Approvals that were given to have the run go on that stopped. */
export const votesToGoOn = (incident: Incident, verb: GoingOn): Vote[] =>
  votesFor(incident, verb, stoppedRun(incident)?.id);
