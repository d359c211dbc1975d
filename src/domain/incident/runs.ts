// Questions about what was done, what can be undone, and what is still to be done.

import { leftAsItWas, type Outcome } from '../outcome.ts';
import { kills, rolls, type Step } from '../plan/plan.ts';
import type { Incident, Run, StepState } from './incident.ts';
import { isLive, isStopped } from './sightings.ts';

export const isDone = (run: Run): boolean => run.steps.every((state) => state.outcome?.verdict === 'done');

export const sameStep = (a: Step, b: Step): boolean =>
  a.action === b.action && a.cluster === b.cluster && JSON.stringify(a.params) === JSON.stringify(b.params);

/** The event that began it: its id ends with that, and two may be of the same moment. */
export const begunWith = ({ id }: Run): number => Number(id.slice(id.lastIndexOf('-') + 1));

/** Whether its steps are undone instead of done. */
export const takesBack = ({ kind }: Pick<Run, 'kind'>): boolean => kind === 'undo' || kind === 'roll-back';

export const stateOf = ({ runs }: Incident, run: string, step: string): StepState | undefined =>
  runs.find(({ id }) => id === run)?.steps.find((state) => state.step.id === step);

/** The last time that this very step was taken up, whichever way. */
export const latestState = ({ runs }: Incident, step: Step): StepState | undefined =>
  runs.flatMap(({ steps }) => steps).findLast((state) => sameStep(state.step, step));

/** How this very step ended when it was last done, whether or not that was taken back since. */
export const lastDone = ({ runs }: Incident, step: Step): Outcome | undefined =>
  runs
    .filter((run) => !takesBack(run))
    .flatMap(({ steps }) => steps)
    .findLast(({ step: other, outcome }) => outcome?.verdict === 'done' && sameStep(other, step))?.outcome;

/** Steps that were done and not undone since, by us or by somebody else, newest first. */
export function stepsInEffect(incident: Incident): Step[] {
  const undone: Step[] = [];
  const effective: Step[] = [];
  for (const run of incident.runs.toReversed())
    for (const { step, outcome, lost } of run.steps.toReversed()) {
      if (outcome?.verdict !== 'done' || lost) continue;
      if (takesBack(run)) undone.push(step);
      else if (![...undone, ...effective].some((other) => sameStep(other, step))) effective.push(step);
    }
  return effective;
}

/** Steps of a plan that began, did not end well and may have changed something that nobody has taken back, newest first. */
export function begunSteps(incident: Incident): Step[] {
  const settled: Step[] = [];
  const begun: Step[] = [];
  for (const run of incident.runs.toReversed())
    for (const { step, startedAt, outcome } of run.steps.toReversed()) {
      const ended = outcome?.verdict === 'done';
      // These changed nothing, or say nothing of what was there before them.
      if (startedAt === undefined || (outcome && leftAsItWas(outcome)) || (takesBack(run) && !ended))
        continue;
      if (settled.some((other) => sameStep(other, step))) continue;
      settled.push(step);
      if (!ended && step.phase !== 'contain') begun.push(step);
    }
  return begun;
}

/** Whether this very step was done, and nobody has begun to undo it since. */
export const inEffect = (incident: Incident, step: Step): boolean =>
  stepsInEffect(incident).some((other) => sameStep(other, step)) && !isHalfUndone(incident, step);

/** Some of what it did may be taken back already: done again, it does what is missing. */
function isHalfUndone({ runs }: Incident, step: Step): boolean {
  const took = ({ outcome, startedAt }: StepState) =>
    startedAt !== undefined && !(outcome && leftAsItWas(outcome));
  const last = runs.findLast(({ steps }) => steps.some((state) => sameStep(state.step, step) && took(state)));
  return last?.half === true;
}

/** In one line, also of a step that an older version planned. */
export const backTitle = ({ back, title }: Step): string => back ?? `Take back: ${title}`;

/** Kills in effect there of the token that the incident is about now; of one that it was about before they say nothing. */
export function killsOf(incident: Incident, cluster: string): Step[] {
  const own = incident.runs.filter(({ about }) => about === undefined || about === incident.about);
  const steps = own.flatMap((run) => run.steps.map(({ step }) => step));
  return stepsInEffect(incident).filter(
    (step) => kills(step) && step.cluster === cluster && steps.some((other) => sameStep(other, step)),
  );
}

/** What a roll-out did needs no undoing: it changed nothing that stays. */
export const staysForGood = (step: Step): boolean => !step.reversible && !rolls(step);

/** What an Undo would take back, in its order. Nothing, once something irreversible was done. */
export function undoable(incident: Incident, begun = begunSteps(incident)): Step[] {
  const effective = stepsInEffect(incident);
  if (effective.some(staysForGood)) return [];
  const whole = effective.filter((step) => !begun.some((other) => sameStep(other, step)));
  return inOrderOfUndo([...begun, ...whole].filter(({ reversible }) => reversible));
}

/**
 * First what switched something off, then who was moved away from it, and last what was made for them, each newest first:
 * whoever uses a token has one that is accepted at every moment in between, in whichever order all that was done.
 */
export const inOrderOfUndo = (steps: readonly Step[]): Step[] =>
  steps.toSorted((a, b) => undoRank(a) - undoRank(b));

const undoRank = (step: Step): number => (kills(step) ? 0 : rolls(step) ? 1 : 2);

/** A run in several stages that stopped: a person says whether it is tried again, goes on without something, or is taken back. */
export function stoppedRun({ runs }: Incident): Run | undefined {
  const last = runs.findLast(({ refused }) => !refused);
  const staged = last?.steps.some(({ step }) => step.phase === 'replace' || rolls(step));
  return staged && last?.stopped !== undefined && last.kind !== 'contain' ? last : undefined;
}

/** A quarantine of ours was not undone by us; whether it still holds is another question. */
export const hasQuarantine = (incident: Incident): boolean =>
  stepsInEffect(incident).some(({ phase }) => phase === 'contain');

/** Stopped in a way that can be undone, and last seen so: what was done is no evidence that it still holds. */
export const isContained = (incident: Incident): boolean => isStopped(incident) && hasQuarantine(incident);

/** Clusters that could not be looked at when the plan was made: what is to be done there is not in it. */
export const unplanned = ({ identity, situations, plan }: Incident): string[] =>
  plan === undefined
    ? []
    : (identity?.clusters ?? []).filter((name) => !situations.some(({ cluster }) => cluster === name));

/** The run that is owed work: the first that is neither done nor stopped. */
export const openRun = (incident: Incident): Run | undefined =>
  incident.runs.find((run) => run.stopped === undefined && !isDone(run));

/** Steps of the plan that an approval would run. */
export const pendingSteps = (incident: Incident): Step[] =>
  isSoaking(incident) ? [] : (incident.plan?.steps ?? []).filter((step) => !inEffect(incident, step));

/** Steps that were approved with the others, wait until nobody has missed what they remove, and can still be cancelled. */
export function soakingSteps(incident: Incident): Step[] {
  const { plan, soakCancelled } = incident;
  if (plan === undefined || soakCancelled || openRun(incident)) return [];
  const left = plan.steps.filter((step) => !inEffect(incident, step));
  const others = plan.steps.filter((step) => !step.soak);
  return others.length > 0 && left.every(({ soak }) => soak) ? left : [];
}

export const isSoaking = (incident: Incident): boolean => soakingSteps(incident).length > 0;

/** A live leak, as far as anybody has seen. */
export const isBleeding = (incident: Incident): boolean => isLive(incident);
