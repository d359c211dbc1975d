// Questions about what was done, what can be undone, and what is still to be done.
import type { Incident, Run } from './incident.ts';
import type { Step } from './plan.ts';

export const isDone = (run: Run): boolean => run.steps.every((state) => state.outcome?.verdict === 'done');

export const sameStep = (a: Step, b: Step): boolean =>
  a.action === b.action && a.cluster === b.cluster && JSON.stringify(a.params) === JSON.stringify(b.params);

/** Steps that were done and not undone since, newest run first. */
export function stepsInEffect(incident: Incident): Step[] {
  const undone: Step[] = [];
  const effective: Step[] = [];
  for (const run of incident.runs.toReversed())
    for (const { step, outcome } of run.steps) {
      if (outcome?.verdict !== 'done') continue;
      if (run.kind === 'undo') undone.push(step);
      else if (!undone.some((other) => sameStep(other, step))) effective.push(step);
    }
  return effective;
}

/** Whether this very step was done, and not undone since. */
export const inEffect = (incident: Incident, step: Step): boolean =>
  stepsInEffect(incident).some((other) => sameStep(other, step));

/** Containment that an Undo would take back. Nothing, once something irreversible was done. */
export function undoable(incident: Incident): Step[] {
  const effective = stepsInEffect(incident);
  return effective.every((step) => step.reversible) ? effective : [];
}

export const isContained = (incident: Incident): boolean =>
  stepsInEffect(incident).some((step) => step.phase === 'contain');

/** The run that is owed work: the first that is neither done nor stopped. */
export const openRun = (incident: Incident): Run | undefined =>
  incident.runs.find((run) => run.stopped === undefined && !isDone(run));

/** Steps of the plan that an approval would run. */
export const pendingSteps = (incident: Incident): Step[] =>
  (incident.plan?.steps ?? []).filter((step) => !inEffect(incident, step));

/** A live leak that nothing has stopped. */
export const isBleeding = (incident: Incident): boolean =>
  !isContained(incident) && incident.situations.some(({ liveness }) => liveness.alive === 'alive');
