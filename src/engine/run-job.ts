// Runs the steps of a decided run, one by one: written before, verified after, taken up again wherever a crash cut it off.

import type { EventBody, Incident, Run, StepState } from '../domain/incident.ts';
import { done, notDone, type Outcome } from '../domain/outcome.ts';
import type { Step } from '../domain/plan.ts';
import { openRun } from '../domain/runs.ts';
import { AppError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import type { WorkerDeps } from './deps.ts';
import { append, enqueue, type Session } from './session.ts';

/** Tries of one step before a person is called; each later than the one before, see due.ts. */
const MAX_TRIES = 8;

export async function runJob(deps: WorkerDeps, session: Session, token: Secret | undefined): Promise<void> {
  for (;;) {
    const run = openRun(session.incident);
    const state = run?.steps.find(({ outcome }) => outcome === undefined);
    if (run === undefined || state === undefined) return;
    if (!(await takeStep(deps, session, run, state, token))) return;
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
  const resumed = startedAt !== undefined;
  const started: EventBody = { type: 'step-started', run: run.id, step: step.id, attempt: attempts + 1 };
  // A conflict means that the state moved: look again which step is next, instead of doing one twice.
  if ((await append(deps, session, [started])) !== 'appended') return true;
  const outcome = await perform(deps, session.incident, run, step, resumed, token);
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
    const state = session.incident.runs.find(({ id }) => id === run)?.steps.find((s) => s.step.id === step);
    if (state?.outcome) return true;
    if ((await append(deps, session, events)) === 'appended') return true;
  }
}

async function perform(
  deps: WorkerDeps,
  incident: Incident,
  run: Run,
  step: Step,
  resumed: boolean,
  token: Secret | undefined,
): Promise<Outcome> {
  if (run.kind === 'undo') return await undoStep(deps, incident, step);
  if (resumed) {
    const found = await verifyStep(deps, incident, step, token);
    if (found.verdict === 'done')
      return { ...found, detail: `${found.detail} (found done when the job was taken up again)` };
  }
  return await performStep(deps, incident, step, token);
}

/** Executes and verifies one step. Throws AppError for failures of the world. */
export async function performStep(
  deps: WorkerDeps,
  incident: Incident,
  step: Step,
  token: Secret | undefined,
): Promise<Outcome> {
  const { action, bench, params } = tools(deps, incident, step, token);
  const executed = await action.execute(bench, params);
  if (executed.verdict !== 'done') return executed;
  const verified = await action.verify(bench, params);
  return verified.verdict === 'done' ? executed : verified;
}

export async function verifyStep(
  deps: WorkerDeps,
  incident: Incident,
  step: Step,
  token: Secret | undefined,
) {
  const { action, bench, params } = tools(deps, incident, step, token);
  return await action.verify(bench, params);
}

async function undoStep(deps: WorkerDeps, incident: Incident, step: Step): Promise<Outcome> {
  const { action, bench, params } = tools(deps, incident, step, undefined);
  if (action.undo === undefined) return notDone(`${action.name} cannot be undone.`);
  const undone = await action.undo(bench, params);
  if (undone.verdict !== 'done') return undone;
  const after = await action.verify(bench, params);
  return after.verdict === 'not-done' ? done(undone.detail, undone.facts) : after;
}

/** Whatever the log says, only what this worker knows is done: its own clusters, actions and schemas. */
function tools(deps: WorkerDeps, incident: Incident, step: Step, token: Secret | undefined) {
  const action = deps.actions.find(({ name }) => name === step.action);
  const cluster = deps.clusters.get(step.cluster);
  const params = action?.params.safeParse(step.params);
  if (!action || !cluster || !params?.success || !incident.identity)
    throw new AppError(
      'unsupported',
      `${step.title}: this worker does not know the action ${step.action} or the cluster ${step.cluster}. Check that bot and worker run the same version and configuration.`,
    );
  const today = new Date(deps.clock.now()).toISOString().slice(0, 10);
  const bench = { cluster, identity: incident.identity, today, ...(token ? { token } : {}) };
  return { action, bench, params: params.data };
}
