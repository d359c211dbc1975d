// Runs the steps of a decided run, one by one: written before, verified after, taken up again wherever a crash cut it off.

import { unauthorised, wrongAgain } from '../domain/authorise.ts';
import type { EventBody, Incident, Run, StepState } from '../domain/incident.ts';
import { done, notDone, type Outcome } from '../domain/outcome.ts';
import type { Step } from '../domain/plan.ts';
import { openRun, stateOf, takesBack } from '../domain/runs.ts';
import { AppError } from '../errors.ts';
import { withLogFields } from '../log-fields.ts';
import type { Secret } from '../secret.ts';
import { lookWith, type Place, workWith } from './bench.ts';
import type { WorkerDeps } from './deps.ts';
import { leaseFor } from './lease.ts';
import { holdIfPaused } from './pause.ts';
import { noteAskers } from './same-account.ts';
import { append, enqueue, type Session } from './session.ts';

/** Tries of one step before a person is called; each later than the one before, see due.ts. */
const MAX_TRIES = 8;

export async function runJob(deps: WorkerDeps, session: Session, token: Secret | undefined): Promise<void> {
  for (;;) {
    const run = openRun(session.incident);
    const lease = run && (await leaseFor(deps, session.incident, run));
    if (run === undefined || lease === undefined) return;
    try {
      if (!(await runSteps(deps, session, run.id, token))) return;
    } finally {
      await lease.release();
    }
  }
}

/** True: this run is over, look for another. */
async function runSteps(
  deps: WorkerDeps,
  session: Session,
  id: string,
  token: Secret | undefined,
): Promise<boolean> {
  for (;;) {
    const run = openRun(session.incident);
    if (run?.id !== id) return true;
    const state = run.steps.find(({ outcome }) => outcome === undefined);
    if (state === undefined) return false;
    if (!(await takeStep(deps, session, run, state, token))) return false;
    await enqueue(deps, session);
  }
}

/** False: leave the rest, it is stopped or somebody else's. */
async function takeStep(
  deps: WorkerDeps,
  session: Session,
  run: Run,
  { step, attempts, startedAt }: StepState,
  token: Secret | undefined,
): Promise<boolean> {
  if (await holdIfPaused(deps, session)) return false;
  if (run.by !== 'policy') await noteAskers(deps, session);
  const { policy } = deps.settings;
  const wrong = wrongAgain(policy, session.incident, run);
  const refusal = wrong ?? unauthorised(policy, session.incident, run, step);
  if (refusal !== undefined) {
    // On a conflict nothing was written, and the next turn asks again.
    await append(deps, session, [
      { type: 'run-stopped', run: run.id, reason: refusal, ...(wrong && { refused: true }) },
    ]);
    return true;
  }
  const resumed = startedAt !== undefined;
  const place: Place = { run: run.id, step, attempt: attempts + 1 };
  const started: EventBody = {
    type: 'step-started',
    run: run.id,
    step: step.id,
    attempt: place.attempt,
  };
  // A conflict means that the state moved: look again which step is next, instead of doing one twice.
  if ((await append(deps, session, [started])) !== 'appended') return true;
  const outcome = await perform(deps, session, run, place, resumed, token);
  if (outcome.verdict === 'unknown') {
    if (attempts + 1 < MAX_TRIES)
      throw new AppError('unreachable', `${step.title}: ${outcome.detail}`, { retry: true });
  }
  const events: EventBody[] = [{ type: 'step-ended', run: run.id, step: step.id, outcome }];
  const ok = outcome.verdict === 'done';
  if (!ok) events.push({ type: 'run-stopped', run: run.id, reason: `${step.title}: ${outcome.detail}` });
  return (await finish(deps, session, run.id, step.id, events)) && ok;
}

/** Appends the end of a step unless a twin of this job already did. */
async function finish(
  deps: WorkerDeps,
  session: Session,
  run: string,
  step: string,
  events: EventBody[],
): Promise<boolean> {
  for (;;) {
    if (stateOf(session.incident, run, step)?.outcome) return true;
    if ((await append(deps, session, events)) === 'appended') return true;
  }
}

async function perform(
  deps: WorkerDeps,
  session: Session,
  run: Run,
  place: Place,
  resumed: boolean,
  token: Secret | undefined,
): Promise<Outcome> {
  if (takesBack(run)) return await undoStep(deps, session, place);
  if (resumed) {
    const found = await verifyStep(deps, session.incident, place.step, token);
    if (found.verdict === 'done')
      return { ...found, detail: `${found.detail} (found done when the job was taken up again)` };
  }
  return await performStep(deps, session, place, token);
}

/** Executes and verifies one step. Throws AppError for failures of the world. */
export async function performStep(
  deps: WorkerDeps,
  session: Session,
  place: Place,
  token: Secret | undefined,
): Promise<Outcome> {
  const { action, bench, params } = workWith(deps, session, place, token);
  return await withLogFields(fieldsOf(place), async () => {
    const executed = await action.execute(bench, params);
    if (executed.verdict !== 'done') return executed;
    const verified = await action.verify(bench, params);
    return verified.verdict === 'done' ? executed : verified;
  });
}

const fieldsOf = ({ run, step, attempt }: Place) => ({ run, step: step.id, cluster: step.cluster, attempt });

export async function verifyStep(
  deps: WorkerDeps,
  incident: Incident,
  step: Step,
  token: Secret | undefined,
) {
  const { action, bench, params } = lookWith(deps, incident, step, token);
  return await action.verify(bench, params);
}

async function undoStep(deps: WorkerDeps, session: Session, place: Place): Promise<Outcome> {
  const { action, bench, params } = workWith(deps, session, place, undefined);
  const { undo } = action;
  if (undo === undefined) return notDone(`${action.name} cannot be undone.`);
  const undone = await withLogFields(fieldsOf(place), () => undo(bench, params));
  if (undone.verdict !== 'done') return undone;
  const after = await action.verify(bench, params);
  return after.verdict === 'not-done' ? done(undone.detail, undone.facts) : after;
}
