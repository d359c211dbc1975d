// Forgets incidents that were closed long ago, and leaves a stub of each in the ledger; one at a time, so that a crash loses nothing.
import type { Stub } from '../../domain/afterwards/ledger.ts';
import { whyKept } from '../../domain/afterwards/retention.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { isAppError } from '../../errors.ts';
import type { BotDeps } from '../ground/deps.ts';
import type { Ledger, LedgerPosition } from '../ground/ledger.ts';
import { openSession, owed, type Session } from '../ground/session.ts';
import { dedupeKeys } from '../intake/receive-alert.ts';

export interface PurgeDeps extends Pick<BotDeps, 'log' | 'clock' | 'settings'> {
  ledger: Ledger;
}

export interface PurgeOptions {
  /** Closed before this time, Unix milliseconds. */
  before: number;
  /** By which rule, for the stub. */
  by: string;
  /** Says what would be done. */
  dryRun?: boolean;
  /** Stops between two incidents. */
  signal?: AbortSignal;
}

export interface Purged {
  purged: Stub[];
  kept: { id: string; why: string }[];
}

export async function purge(deps: PurgeDeps, options: PurgeOptions): Promise<Purged> {
  const result: Purged = { purged: [], kept: [] };
  const end: End = {};
  // What was opened later was closed later.
  for (const id of await deps.ledger.openedBefore(options.before)) {
    if (options.signal?.aborted) break;
    const found = await purgeOne(deps, id, options, end);
    if (found === undefined) continue;
    if ('why' in found) result.kept.push({ id, why: found.why });
    else result.purged.push(found.stub);
  }
  return result;
}

/** Where the ledger ends, so that it need not be read again for each incident. */
interface End {
  place?: LedgerPosition | undefined;
}

async function purgeOne(
  deps: PurgeDeps,
  id: string,
  options: PurgeOptions,
  end: End,
): Promise<Candidate | undefined> {
  for (;;) {
    const found = await candidate(deps, id, options);
    if (found === undefined || 'why' in found || options.dryRun) return found;
    end.place ??= await deps.ledger.read();
    const done = await deps.ledger.purge(end.place, deps.clock.now(), found.stub, found.claims);
    end.place = typeof done === 'string' ? undefined : done;
    if (end.place) return found;
  }
}

type Candidate = { why: string } | { stub: Stub; claims: string[] };

/** Undefined where there is no such incident any more. */
async function candidate(
  deps: PurgeDeps,
  id: string,
  { before, by }: PurgeOptions,
): Promise<Candidate | undefined> {
  try {
    const session = await openSession(deps, id);
    if (session === undefined) return undefined;
    const { incident, head } = session;
    const kinds = [...new Set(owed(deps, session).map(({ kind }) => kind))];
    const why = whyKept(incident, kinds, before, deps.clock.now());
    return why === undefined ? { stub: stubOf(incident, head, by), claims: claimsOf(session) } : { why };
  } catch (error) {
    if (!isAppError(error, 'log-damaged')) throw error;
    return { why: 'its log is damaged' };
  }
}

function stubOf({ id, version, openedAt, closed }: Incident, head: string, by: string): Stub {
  if (closed === undefined) throw new Error('unreachable: an open incident is kept');
  const { at: closedAt, as } = closed;
  return { type: 'purged', incident: id, entries: version, head, openedAt, closedAt, as, by };
}

const claimsOf = ({ events }: Session): string[] => [
  ...new Set(
    events.flatMap((event) =>
      event.type === 'alert-received' ? dedupeKeys(event.alert, event.fingerprint) : [],
    ),
  ),
];
