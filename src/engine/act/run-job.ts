// Runs the steps of a decided run, one by one: written before, verified after, taken up again wherever a crash cut it off.
import { unauthorised, wrongAgain } from '../../domain/decision/authorise.ts';
import type { EventBody } from '../../domain/incident/events.ts';
import type { Incident, Run, StepState } from '../../domain/incident/incident.ts';
import { openRun, stateOf, takesBack } from '../../domain/incident/runs.ts';
import { notDone, type Outcome } from '../../domain/outcome.ts';
import { kills, type Step } from '../../domain/plan/plan.ts';
import { AppError, isAppError } from '../../errors.ts';
import { withLogFields } from '../../log-fields.ts';
import type { Held } from '../../ports/locks.ts';
import type { Secret } from '../../secret.ts';
import type { LookDeps, WorkerDeps } from '../ground/deps.ts';
import { holdIfPaused } from '../ground/pause.ts';
import { noteAskers } from '../ground/same-account.ts';
import { append, change, enqueue, openSession, type Session } from '../ground/session.ts';
import { isMine, type StepAt } from './fence.ts';
import { leaseFor } from './lease.ts';
import { refusedAhead } from './rehearse.ts';
import { lookWith, workWith } from './step-tools.ts';

/** Tries of one step before a person is called; each later than the one before, see due.ts. */
const MAX_TRIES = 8;

export async function runJob(deps: WorkerDeps, session: Session, token: Secret | undefined): Promise<void> {
  for (;;) {
    const run = openRun(session.incident);
    const lease = run && (await leaseFor(deps, session.incident, run));
    if (run === undefined || lease === undefined) return;
    try {
      if (!(await runSteps(deps, session, run.id, lease, token))) return;
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
  lease: Held,
  token: Secret | undefined,
): Promise<boolean> {
  for (;;) {
    const run = openRun(session.incident);
    if (run?.id !== id) return true;
    const state = run.steps.find(({ outcome }) => outcome === undefined);
    if (state === undefined) return false;
    if (!(await takeStep(deps, session, { run, state, lease }, token))) return false;
    await enqueue(deps, session);
  }
}

interface Turn {
  run: Run;
  state: StepState;
  lease: Held;
}

/** False: leave the rest, it is stopped or somebody else's. */
async function takeStep(
  deps: WorkerDeps,
  session: Session,
  { run, state: { step, attempts, startedAt }, lease }: Turn,
  token: Secret | undefined,
): Promise<boolean> {
  if (await holdIfPaused(deps, session)) return false;
  if (run.by !== 'policy') await noteAskers(deps, session);
  const { policy } = deps.settings;
  const wrong = wrongAgain(policy, session.incident, run);
  const refusal = wrong ?? unauthorised(policy, session.incident, run, step, deps.clock.now());
  if (refusal !== undefined) {
    // On a conflict nothing was written, and the next turn asks again.
    await append(deps, session, [
      { type: 'run-stopped', run: run.id, reason: refusal, ...(wrong && { refused: true }) },
    ]);
    return true;
  }
  const resumed = startedAt !== undefined;
  const stop = resumed ? undefined : await refusedAhead(deps, session.incident, run, step);
  if (stop) {
    await append(deps, session, stop);
    return true;
  }
  const place: StepAt = { run: run.id, step, attempt: attempts + 1, lease };
  const started: EventBody = {
    type: 'step-started',
    run: run.id,
    step: step.id,
    attempt: place.attempt,
  };
  if (!lease.held()) return false;
  // A conflict means that the state moved: look again which step is next, instead of doing one twice.
  if ((await append(deps, session, [started])) !== 'appended') return true;
  const outcome = await stillMine(deps, session, place, async () => {
    const found = await perform(deps, session, run, place, resumed, token).catch(asOutcome);
    if (found.verdict === 'unknown' && attempts + 1 < MAX_TRIES)
      throw new AppError('unreachable', `${step.title}: ${found.detail}`, { retry: true });
    return found;
  });
  const { events, goesOn } = endOf(run, step, outcome);
  return (await finish(deps, session, place, events)) && goesOn;
}

/** No other try would be answered otherwise, so it is how the step ended, and not trouble of the work as a whole. */
function asOutcome(error: unknown): Outcome {
  if (!isAppError(error, 'denied', 'forbidden', 'invalid') || error.retry) throw error;
  return notDone(error.message);
}

/**
 * A step that fails stops its run, but for what brings things back after the kill: there the rest still comes, and the run
 * stops behind it.
 */
function endOf(run: Run, step: Step, outcome: Outcome): { events: EventBody[]; goesOn: boolean } {
  const ended: EventBody = { type: 'step-ended', run: run.id, step: step.id, outcome };
  const others = run.steps.filter((one) => one.step.id !== step.id);
  const failed = [...others, { step, outcome }].filter((one) => (one.outcome?.verdict ?? 'done') !== 'done');
  const more = others.some((one) => one.outcome === undefined);
  if (failed.length === 0 || (step.phase === 'recover' && !takesBack(run) && more))
    return { events: [ended], goesOn: true };
  const reason = failed.map((one) => `${one.step.title}: ${one.outcome?.detail}`).join(' ');
  return { events: [ended, { type: 'run-stopped', run: run.id, reason }], goesOn: false };
}

/** What fails for somebody who has lost the step says nothing about it, and stops nobody who has it now. */
async function stillMine<T>(
  deps: WorkerDeps,
  session: Session,
  place: StepAt,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isAppError(error, 'interrupted', 'store-unavailable', 'log-damaged')) throw error;
    const fresh = await openSession(deps, session.incident.id);
    if (fresh && isMine(fresh.incident, place)) throw error;
    throw new AppError('interrupted', `${place.step.title}: somebody else has it.`);
  }
}

/** Appends the end of a step unless somebody else has it. False: they have not ended it either. */
async function finish(
  deps: WorkerDeps,
  session: Session,
  place: StepAt,
  events: EventBody[],
): Promise<boolean> {
  const mine = (incident: Incident) => (isMine(incident, place) ? events : undefined);
  if (await change(deps, session, mine)) return true;
  return stateOf(session.incident, place.run, place.step.id)?.outcome !== undefined;
}

async function perform(
  deps: WorkerDeps,
  session: Session,
  run: Run,
  place: StepAt,
  resumed: boolean,
  token: Secret | undefined,
): Promise<Outcome> {
  if (takesBack(run)) return await undoStep(deps, session, place, token);
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
  place: StepAt,
  token: Secret | undefined,
): Promise<Outcome> {
  const { action, tools, params } = workWith(deps, session, place, token);
  return await withLogFields(fieldsOf(place), async () => {
    const executed = await action.execute(tools, params);
    if (executed.verdict !== 'done') return executed;
    const verified = await action.verify(
      { ...tools, memory: tools.memory, facts: executed.facts ?? tools.facts },
      params,
    );
    return verified.verdict === 'done' ? executed : verified;
  });
}

const fieldsOf = ({ run, step, attempt }: StepAt) => ({ run, step: step.id, cluster: step.cluster, attempt });

export async function verifyStep(deps: LookDeps, incident: Incident, step: Step, token: Secret | undefined) {
  const { action, tools, params } = lookWith(deps, incident, step, token);
  return await action.verify(tools, params);
}

async function undoStep(
  deps: WorkerDeps,
  session: Session,
  place: StepAt,
  token: Secret | undefined,
): Promise<Outcome> {
  const { action, tools, params } = workWith(deps, session, place, token);
  const { undo } = action;
  if (undo === undefined) return notDone(`${action.name} cannot be undone.`);
  const undone = await withLogFields(fieldsOf(place), () => undo(tools, params));
  if (undone.verdict !== 'done') return undone;
  const after = await action.verify(tools, params);
  if (after.verdict === 'unknown') return after;
  // Of anything else, nothing may be left that there was to take back.
  const isBack = after.verdict === 'done' && kills(place.step);
  return isBack ? notDone(`It was taken back, and is there again: ${after.detail}`) : undone;
}
