// Takes one piece of owed work from the queue: is it still owed, who does it, and what becomes of a failure.
import { wrongDecisions } from '../../domain/decision/authorise.ts';
import type { EventBody } from '../../domain/incident/events.ts';
import type { Incident, WorkKind } from '../../domain/incident/incident.ts';
import { openRun } from '../../domain/incident/runs.ts';
import { EARLY_MS } from '../../domain/owed/timing.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Secret } from '../../secret.ts';
import { runJob } from '../act/run-job.ts';
import type { BotDeps, WorkerDeps } from '../ground/deps.ts';
import { holdIfPaused } from '../ground/pause.ts';
import { change, clockOf, enqueue, openSession, owed, type Session } from '../ground/session.ts';
import { trouble } from '../ground/trouble.ts';
import { close, expire, forgetToken, remind, soak } from '../keep/housekeeping.ts';
import { prove, recheck } from '../prove/prove.ts';
import { investigate } from './investigate.ts';

/** `token`: where it is held, and only for the kinds of work that use it. */
type Doer = (deps: WorkerDeps, session: Session, token: Secret | undefined) => Promise<void>;

const doers: Record<Exclude<WorkKind, 'report' | 'escalate'>, Doer> = {
  investigate,
  run: runJob,
  prove,
  recheck,
  expire,
  remind,
  close,
  soak,
  'forget-token': forgetToken,
};

/** May kill, so they wait for nothing; an investigation then waits with its plan. */
const hurried: ReadonlySet<WorkKind> = new Set(['investigate', 'run']);

const usesToken: ReadonlySet<WorkKind> = new Set(['investigate', 'run', 'prove', 'recheck']);

export interface Task {
  kind: WorkKind;
  incidentId: string;
}

/** The queue is at-least-once and its delays are hints: the log says what is owed now. */
export async function doWork(deps: WorkerDeps, { kind, incidentId }: Task): Promise<void> {
  // All at once, because a kill may wait for them.
  const [session, sealed, pause] = await Promise.all([
    openSession(deps, incidentId),
    usesToken.has(kind) ? deps.vault.open(incidentId) : undefined,
    deps.pause.read(),
  ]);
  if (session === undefined || kind === 'report' || kind === 'escalate') return;
  if (pause) await holdIfPaused(deps, session);
  if (await refuseDecisions(deps, session)) await enqueue(deps, session);
  const timed = { ...deps, clock: clockOf(deps, session) };
  const work = () => doers[kind](timed, session, session.incident.tokenHeld ? sealed : undefined);
  await doIfOwed(deps, session, kind, () => (hurried.has(kind) ? work() : deps.unhurried(work)));
}

/** Does it if it is owed now, and writes down what becomes of a failure. */
export async function doIfOwed(
  deps: BotDeps,
  session: Session,
  kind: WorkKind,
  work: () => Promise<void>,
): Promise<void> {
  const soon = clockOf(deps, session).now() + EARLY_MS;
  if (!owed(deps, session).some((one) => one.kind === kind && one.at <= soon)) return;
  try {
    await work();
  } catch (error) {
    if (isAppError(error, 'store-unavailable', 'log-damaged')) throw error;
    // Somebody else has it, or the next process takes it up where it stands.
    if (isAppError(error, 'interrupted')) return;
    await recordTrouble(deps, session, kind, error);
  }
  await enqueue(deps, session);
}

/** What the bot let people do counts only where this process's own policy lets them too. */
const refuseDecisions = (deps: WorkerDeps, session: Session): Promise<boolean> =>
  change(deps, session, (incident) => {
    const wrong = wrongDecisions(deps.settings.policy, incident);
    return wrong.length > 0 ? wrong.map((one) => ({ type: 'decision-refused', ...one })) : undefined;
  });

/** A failure is an event like any other: it is shown on the card and says when to try again. */
async function recordTrouble(deps: BotDeps, session: Session, kind: WorkKind, error: unknown): Promise<void> {
  const known =
    error instanceof AppError
      ? error
      : new AppError('unsupported', 'An unexpected error; see the log of the process.', {
          retry: true,
          cause: error,
        });
  deps.logger.warn({ err: error, incident: session.incident.id, work: kind }, 'work failed');
  // A twin of this job may have succeeded meanwhile: then nothing is tried again, and nobody must read that it is.
  await change(deps, session, (incident) =>
    owed(deps, session).some((work) => work.kind === kind) ? consequences(incident, kind, known) : undefined,
  );
}

function consequences(incident: Incident, work: WorkKind, error: AppError): EventBody[] {
  const run = openRun(incident);
  if (!error.retry && work === 'run' && run)
    return [{ type: 'run-stopped', run: run.id, reason: error.message }];
  // A token that was identified is so still when somebody may not read a part of what is around it.
  if (!error.retry && work === 'investigate' && incident.identity === undefined)
    return [{ type: 'unidentified', reason: error.message, near: [] }];
  return [trouble(work, error)];
}
