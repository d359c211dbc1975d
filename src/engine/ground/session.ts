// One incident in hand: its folded state, appended to only if nobody else did meanwhile.
import { namesOf } from '../../domain/afterwards/same-account.ts';
import type { EventBody, IncidentEvent } from '../../domain/incident/events.ts';
import { evolve, fold } from '../../domain/incident/fold.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { due } from '../../domain/owed/due.ts';
import { AppError } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AppendRequest, LoadedIncident } from '../../ports/incident-log.ts';
import type { Work } from '../../ports/queue.ts';
import type { BotDeps } from './deps.ts';

type Logged = Pick<BotDeps, 'log' | 'clock' | 'witness'>;
type Extras = Pick<AppendRequest, 'seal' | 'budgets' | 'claim' | 'repeats'>;
/** `overBudget`: name of the budget that is used up. */
export type Appended = 'appended' | 'conflict' | { overBudget: string };

export interface Session {
  incident: Incident;
  events: IncidentEvent[];
  cursors: Record<string, number>;
  head: string;
  /** When this was so, in Unix milliseconds: from before it was asked for, since an answer may be read long after it was given. */
  seenAt: number;
  /** Repeats that were only counted so far. */
  repeats: number;
}

export async function openSession(deps: Logged, id: string): Promise<Session | undefined> {
  const from = deps.clock.now();
  const loaded = await deps.log.load(id);
  return loaded && toSession(id, loaded, from);
}

/** Brings it up to date with what others appended since, at the cost of that alone. False: there is no such incident any more. */
export async function refresh(deps: Logged, session: Session): Promise<boolean> {
  const { incident, events, head } = session;
  const from = deps.clock.now();
  const later = await deps.log.loadAfter(incident.id, incident.version, head);
  if (later === undefined) {
    const anew = await openSession(deps, incident.id);
    return anew !== undefined && Boolean(Object.assign(session, anew));
  }
  const { cursors, repeats = 0 } = later;
  if (later.events.length > 0) {
    session.incident = evolve(incident, later.events);
    session.events = [...events, ...later.events];
    session.head = later.head;
  }
  Object.assign(session, { cursors, repeats, seenAt: from });
  return true;
}

function toSession(
  id: string,
  { events, cursors, head, repeats = 0 }: LoadedIncident,
  seenAt: number,
): Session {
  return { incident: fold(id, events), events, cursors, head, repeats, seenAt };
}

/** Appends and moves the session forward; on `conflict` the session has been brought up to date, so decide again. */
export async function append(
  deps: Logged,
  session: Session,
  events: EventBody[],
  extras: Extras = {},
): Promise<Appended> {
  const before = session.incident;
  const { id, version } = before;
  const about = namesOf(before, events);
  const notBefore = Date.parse(before.updatedAt);
  const request = { id, expected: version, head: session.head, events, about, notBefore, ...extras };
  const from = deps.clock.now();
  const result = await deps.log.append(request);
  if (result.kind === 'appended') {
    session.events = [...session.events, ...result.events];
    session.head = result.head;
    session.repeats -= extras.repeats ?? 0;
    session.incident = evolve(before, result.events);
    session.seenAt = from;
    const { incident: after, events: all } = session;
    const until = deps.clock.now();
    deps.witness?.appended({ id, before, after, events: all, fresh: result.events, from, until });
    return 'appended';
  }
  if (result.kind === 'over-budget') return { overBudget: result.budget };
  if (!(await refresh(deps, session))) throw new AppError('not-found', `Incident ${id} is not in the log.`);
  return 'conflict';
}

/**
 * Appends what `eventsFor` makes of the state, again and again until nobody else came first. Undefined: nothing to append.
 * Returns whether something was appended.
 */
export async function change(
  deps: Logged,
  session: Session,
  eventsFor: (incident: Incident) => EventBody[] | undefined,
  extras: Extras = {},
): Promise<boolean> {
  for (;;) {
    const events = eventsFor(session.incident);
    if (events === undefined) return false;
    const result = await append(deps, session, events, extras);
    if (result === 'appended') return true;
    if (result !== 'conflict') return false;
  }
}

/**
 * The clock of whoever works on this incident: never behind what its log says has happened, whoever's clock that was
 * written by. So what has been owed since then is owed now, on every machine.
 */
export function clockOf({ clock }: Pick<BotDeps, 'clock'>, { incident }: Session): Clock {
  const behind = Date.parse(incident.updatedAt) - clock.now();
  return behind > 0 ? { now: () => clock.now() + behind } : clock;
}

/** Puts everything that is owed, now or later, into the queue. Adding what is already there changes nothing. */
export async function enqueue(deps: BotDeps, session: Session): Promise<void> {
  await deps.queue.add(owed(deps, session));
}

export function owed(
  { settings }: Pick<BotDeps, 'settings'>,
  { incident, cursors }: Pick<Session, 'incident' | 'cursors'>,
): Work[] {
  return due(incident, settings.timing, { cursors, reporters: settings.reporters }).map(
    ({ kind, occasion, at }) => ({
      id: `${incident.id}-${kind}-${occasion}`,
      kind,
      incidentId: incident.id,
      at,
    }),
  );
}
