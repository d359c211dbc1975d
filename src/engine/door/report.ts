// Brings everything that shows an incident up to date with its log, one process at a time.
import type { Reporter } from '../../ports/reporter.ts';
import type { BotDeps } from '../ground/deps.ts';
import { openSession, refresh, type Session } from '../ground/session.ts';
import type { Task } from './work.ts';

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
