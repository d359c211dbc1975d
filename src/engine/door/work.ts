// Takes one piece of owed work from the queue: is it still owed, who does it, and what becomes of a failure.
import { wrongDecisions } from '../../domain/decision/authorise.ts';
import type { EventBody } from '../../domain/incident/events.ts';
import type { Incident, WorkKind } from '../../domain/incident/incident.ts';
import { openRun } from '../../domain/incident/runs.ts';
import { EARLY_MS } from '../../domain/owed/timing.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Work } from '../../ports/queue.ts';
import type { Reporter } from '../../ports/reporter.ts';
import type { Secret } from '../../secret.ts';
import { runJob } from '../act/run-job.ts';
import type { BotDeps, WorkerDeps } from '../ground/deps.ts';
import { holdIfPaused } from '../ground/pause.ts';
import { change, clockOf, enqueue, openSession, owed, refresh, type Session } from '../ground/session.ts';
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
  await attempt(deps, session, kind, () => (hurried.has(kind) ? work() : deps.unhurried(work)));
}

/** Does it if it is owed now, and writes down what becomes of a failure. */
export async function attempt(
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

/** How long a card waits for a bot that died while it reported; a living one keeps the lock for as long as it takes. */
const REPORT_LOCK_MS = 10_000;

/** Shows an incident through every reporter that is behind. Throws AppError where it must be tried again. */
export async function doReport(
  deps: BotDeps,
  reporters: readonly Reporter[],
  { incidentId }: Task,
): Promise<void> {
  const session = await openSession(deps, incidentId);
  if (session === undefined) return;
  const failed: unknown[] = [];
  for (const reporter of reporters)
    try {
      while (await catchUp(deps, reporter, session)) if (!(await refresh(deps, session))) return;
    } catch (error) {
      // The others do not wait for Slack.
      failed.push(error);
    }
  if (failed.length > 0) throw failed[0];
}

/**
 * True: look again. One process at a time reports an incident; who finds it taken may leave, because the holder looks
 * again after it has let go.
 */
async function catchUp(deps: BotDeps, reporter: Reporter, session: Session): Promise<boolean> {
  const isBehind = (): boolean => (session.cursors[reporter.name] ?? 0) < session.incident.version;
  if (!isBehind()) return false;
  const { id } = session.incident;
  const lock = await deps.locks.take(`report:${reporter.name}:${id}`, REPORT_LOCK_MS);
  if (lock === undefined) return false;
  try {
    if (!(await refresh(deps, session)) || !isBehind()) return true;
    const { incident, cursors } = session;
    const from = deps.clock.now();
    const version = await show(deps, reporter, session, cursors[reporter.name] ?? 0);
    const { updatedAt: at } = incident;
    deps.witness?.shown({ id, reporter: reporter.name, version, at, from, until: deps.clock.now() });
    return true;
  } finally {
    await lock.release();
  }
}

/**
 * A process that was stopped while it drew may have laid an old state over a newer one that another showed meanwhile, when
 * the lock had lapsed: it draws again what stands in the log, until nobody was ahead of it.
 */
async function show(deps: BotDeps, reporter: Reporter, session: Session, cursor: number): Promise<number> {
  const { incident, events, head } = session;
  const version = await reporter.report(incident, events, cursor, head);
  const reached = await deps.log.advance(reporter.name, incident.id, version);
  const again = reached > version && (await refresh(deps, session));
  return again ? await show(deps, reporter, session, reached) : version;
}

/** Looks that no worker takes up make every claim on the card older than it says. */
const LOOKS: ReadonlySet<WorkKind> = new Set(['investigate', 'prove', 'recheck']);
const UNDONE_AFTER_MS = 10 * 60_000;

/** Once, so that the card is drawn again and says how old its claim is; a worker that comes back goes on by itself. */
async function tellUndone(
  deps: BotDeps,
  session: Session,
  late: readonly Work[],
  now: number,
): Promise<void> {
  const undone = late.find(({ kind, at }) => LOOKS.has(kind) && at < now - UNDONE_AFTER_MS);
  if (undone === undefined || session.incident.troubles[undone.kind]) return;
  const { kind, at } = undone;
  const message = `No worker has looked since ${new Date(at).toISOString()}, when it was due, so what is said here is from before that. It is looked at as soon as a worker runs: see that one does, and run tourniquet doctor.`;
  await change(deps, session, ({ troubles }) =>
    troubles[kind] ? undefined : [trouble(kind, new AppError('unreachable', message, { retry: true }))],
  );
}

/** Finds what the queue lost: re-adds whatever is owed, and drops incidents that owe nothing from the list. */
export async function sweep(deps: BotDeps): Promise<void> {
  for (const id of await deps.log.toSweep()) {
    try {
      const session = await openSession(deps, id);
      if (session === undefined) continue;
      const work = owed(deps, session);
      // What is owed only later is added then, if it is missing: each add is a write, and a kill may be waiting behind it.
      const now = clockOf(deps, session).now();
      const late = work.filter(({ at }) => at <= now);
      if (late.length > 0) await deps.queue.add(late, 'late');
      await tellUndone(deps, session, late, now);
      if (work.length === 0) await deps.log.settle(id, session.incident.version, session.cursors);
    } catch (error) {
      if (isAppError(error, 'store-unavailable')) throw error;
      deps.logger.error({ err: error, incident: id }, 'could not sweep this incident; the others go on');
    }
  }
}
