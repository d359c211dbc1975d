// Tries by server-side dry run what a plan would create and patch: nothing is killed for a way that cannot be finished.
import type { EventBody } from '../../domain/incident/events.ts';
import type { Incident, Run } from '../../domain/incident/incident.ts';
import { inEffect, staysForGood, takesBack } from '../../domain/incident/runs.ts';
import type { Step } from '../../domain/plan/plan.ts';
import { type Rehearsed, refusedIn, rehearsalNotes, stoppedBefore } from '../../domain/plan/rehearsal.ts';
import { isAppError } from '../../errors.ts';
import type { WorkerDeps } from '../ground/deps.ts';
import { tryWith } from './step-tools.ts';

/** For the notes of a plan in which something is done for good. */
export async function notesOfRehearsal(
  deps: WorkerDeps,
  incident: Incident,
  steps: readonly Step[],
): Promise<string[]> {
  if (!steps.some(staysForGood)) return [];
  const ahead = steps.filter((step) => !inEffect(incident, step));
  return rehearsalNotes((await rehearsed(deps, incident, ahead)).flatMap(({ findings }) => findings));
}

/**
 * Before the first step of a run that stays for good: the events that stop it, where something that must follow would be
 * refused. Once something is done for good, finishing is all that is left, whatever a dry run says.
 */
export async function refusedAhead(
  deps: WorkerDeps,
  incident: Incident,
  run: Run,
  step: Step,
): Promise<EventBody[] | undefined> {
  const doneForGood = run.steps.some((one) => one.outcome?.verdict === 'done' && staysForGood(one.step));
  if (takesBack(run) || !staysForGood(step) || doneForGood) return undefined;
  const ahead = run.steps.filter(({ outcome }) => outcome === undefined).map((state) => state.step);
  const found = await rehearsed(deps, incident, ahead);
  const refused = found.flatMap(({ findings }) => refusedIn(findings));
  if (refused.length === 0) return undefined;
  return [
    ...found.flatMap((one): EventBody[] => {
      const blocked = refusedIn(one.findings).flatMap(({ workload }) => workload ?? []);
      return blocked.length > 0
        ? [{ type: 'step-noted', run: run.id, step: one.step.id, note: { blocked } }]
        : [];
    }),
    { type: 'run-stopped', run: run.id, reason: `${step.title}: ${stoppedBefore(refused)}` },
  ];
}

async function rehearsed(
  deps: WorkerDeps,
  incident: Incident,
  steps: readonly Step[],
): Promise<{ step: Step; findings: Rehearsed[] }[]> {
  return await Promise.all(
    steps.map(async (step) => ({ step, findings: await rehearsedStep(deps, incident, step) })),
  );
}

async function rehearsedStep(deps: WorkerDeps, incident: Incident, step: Step): Promise<Rehearsed[]> {
  try {
    const { action, tools, params } = tryWith(deps, incident, step);
    return (await action.rehearse?.(tools, params)) ?? [];
  } catch (error) {
    // What could not even be tried is not known, and the step itself will say more.
    if (!isAppError(error)) throw error;
    return [{ path: step.title, answer: 'unknown', detail: error.message }];
  }
}
