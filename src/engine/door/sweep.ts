// Puts back into the queue whatever is owed and was lost there.
import type { WorkKind } from '../../domain/incident/incident.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Work } from '../../ports/queue.ts';
import type { BotDeps } from '../ground/deps.ts';
import { change, clockOf, openSession, owed, type Session } from '../ground/session.ts';
import { trouble } from '../ground/trouble.ts';

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
