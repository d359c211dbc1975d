// Makes an alert durable: a new incident, or one more entry on the incident that the same leak already has.
import { randomBytes } from 'node:crypto';
import type { Finding } from '../../contracts/alert-source.ts';
import { gist, quietFor } from '../../domain/afterwards/repeat.ts';
import type { AlertUpdate, LeakAlert } from '../../domain/incident/alert.ts';
import type { EventBody } from '../../domain/incident/events.ts';
import { fold } from '../../domain/incident/fold.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { scrubbed } from '../../domain/text/scrub.ts';
import type { AppendRequest, Recognised } from '../../ports/incident-log.ts';
import type { Work } from '../../ports/queue.ts';
import type { BotDeps } from '../ground/deps.ts';
import type { Opened } from '../ground/front.ts';
import { append, change, clockOf, openSession, owed } from '../ground/session.ts';

/** Whether this finding is known. What a person says is always heard, so nobody needs to ask. */
export async function recognise(
  { log, vault }: BotDeps,
  { alert, token }: Finding,
): Promise<Recognised | undefined> {
  const [key] = dedupeKeys(alert, token && vault.fingerprint(token));
  if (key === undefined || alert.reporter !== undefined) return undefined;
  return await log.recognise(key, gist(alert));
}

/**
 * Resolves once the alert is in the log, or is counted where it says nothing new. `known`: asked for already. Throws
 * AppError `store-unavailable`: then nothing was accepted.
 */
export async function receiveAlert(
  deps: BotDeps,
  finding: Finding,
  known = recognise(deps, finding),
): Promise<Opened> {
  const held = await known;
  if (held?.counted) return counted(deps, held.by, finding.alert);
  const fingerprint = finding.token && deps.vault.fingerprint(finding.token);
  // Its keys too are made of what may be kept.
  const alert = scrubbed(finding.alert);
  const keys = dedupeKeys(alert, fingerprint);
  const event: Received = {
    type: 'alert-received',
    alert,
    ...(fingerprint === undefined ? {} : { fingerprint }),
  };
  const seal = finding.token && { seal: { token: finding.token, ttlMs: deps.settings.timing.keepTokenFor } };
  let holder: string | null = held?.by ?? null;
  for (;;) {
    const entered =
      holder === null
        ? await open(deps, event, keys, null, seal)
        : await join(deps, holder, event, keys, seal);
    if (!('heldBy' in entered)) return entered;
    holder = entered.heldBy;
  }
}

type Received = Extract<EventBody, { type: 'alert-received' }>;
type Seal = Pick<AppendRequest, 'seal'> | undefined;
/** `heldBy`: the incident that holds one of the keys, which is the one to join. */
type Entered = Opened | { heldBy: string };

/** A new incident in one round trip, where no other holds one of the keys. */
async function open(
  deps: BotDeps,
  event: Received,
  keys: string[],
  from: string | null,
  seal: Seal,
): Promise<Entered> {
  const id = newId();
  const claim = keys.map((key) => ({ key, from }));
  const began = deps.clock.now();
  const [result] = await Promise.all([
    deps.log.append({ id, expected: 0, head: '', events: [event], claim, ...seal }),
    addSafely(deps, id, firstWork(deps, id, event)),
  ]);
  if (result.kind === 'held') return { heldBy: result.by };
  if (result.kind !== 'appended') return await open(deps, event, keys, from, seal);
  const { events } = result;
  const after = fold(id, events);
  const until = deps.clock.now();
  deps.witness?.appended({ id, before: undefined, after, events, fresh: events, from: began, until });
  return { incidentId: id, created: true };
}

const FIRST_CARD_AFTER_MS = 300;

/**
 * Leaves together with the append, behind it, so that a kill waits for one round trip and one fsync instead of two. Where
 * the append loses, whoever takes the job finds no such incident and drops it. The first card waits a moment: making it
 * would compete with the kill, and a little later it can say how that went.
 */
function firstWork(deps: BotDeps, id: string, event: Received): Work[] {
  const first = { ...event, v: 1, at: new Date(deps.clock.now()).toISOString() };
  return owed(deps, { incident: fold(id, [first]), cursors: {} }).flatMap((work) => {
    if (work.kind === 'report') return [{ ...work, at: work.at + FIRST_CARD_AFTER_MS }];
    return work.kind === 'investigate' ? [work] : [];
  });
}

async function join(
  deps: BotDeps,
  holder: string,
  event: Received,
  keys: string[],
  seal: Seal,
): Promise<Entered> {
  const session = await openSession(deps, holder);
  const past = session?.incident.closed && event.alert.subject.kind === 'coordinates';
  // A person has said since that the incident is about another token: this one has none any more.
  const moved = isMoved(session?.incident, event.fingerprint);
  // Coordinates name whatever is there now, so a closed incident about them is history and not this one.
  if (session === undefined || past || moved) return await open(deps, event, keys, holder, seal);
  const { incident, repeats } = session;
  const quietMs = quietFor(incident, event.alert, event.fingerprint, clockOf(deps, session).now());
  if (quietMs > 0) {
    await deps.log.quiet(holder, incident.version, gist(event.alert), quietMs);
    return counted(deps, holder, event.alert);
  }
  const quiet = incident.closed?.as === 'false-alarm' && event.alert.reporter === undefined;
  const { fingerprint, ...said } = { ...event, ...(repeats > 0 && { repeats }) };
  const sealed = quiet || fingerprint === undefined ? said : { ...said, fingerprint };
  const result = await append(deps, session, [sealed], { repeats, ...(quiet ? {} : seal) });
  if (result !== 'appended') return { heldBy: holder };
  await addSafely(deps, holder, owed(deps, session));
  return { incidentId: holder, created: false };
}

const isMoved = (incident: Incident | undefined, fingerprint: string | undefined): boolean =>
  fingerprint !== undefined && incident?.fingerprint !== undefined && incident.fingerprint !== fingerprint;

/** No event and no job: it is known, and its number is kept. */
function counted({ witness }: BotDeps, incidentId: string, { source }: LeakAlert): Opened {
  witness?.repeated?.({ id: incidentId, source });
  return { incidentId, created: false };
}

/** What was appended is accepted, whatever happens to the queue: the sweeper finds it. */
async function addSafely(deps: BotDeps, id: string, work: Work[]): Promise<void> {
  try {
    await deps.queue.add(work);
  } catch (error) {
    deps.logger.warn({ err: error, incident: id }, 'could not enqueue; the sweeper will');
  }
}

export async function receiveUpdate(deps: BotDeps, given: AlertUpdate): Promise<void> {
  const update = scrubbed(given);
  const holder = await deps.log.find(externalKey(update.source, update.externalId));
  const session = holder === undefined ? undefined : await openSession(deps, holder);
  if (session === undefined) return;
  const news = await change(deps, session, ({ updates }) =>
    isRepeated(update, updates) ? undefined : [{ type: 'alert-updated', update }],
  );
  if (news) await addSafely(deps, session.incident.id, owed(deps, session));
}

/** Sources send again what was not answered, under another signature: the last thing that they said is no news. */
function isRepeated({ source, externalId, note }: AlertUpdate, updates: Incident['updates']): boolean {
  const last = updates.findLast(({ update }) => update.source === source && update.externalId === externalId);
  return last?.update.note === note;
}

/** Short enough to read aloud, long enough not to collide: 40 bits. */
const newId = (): string => randomBytes(5).toString('hex');

const externalKey = (source: string, externalId: string): string => `ext:${source}:${externalId}`;

/** The same token, the same finding of a source, or the same coordinates are the same incident. */
export function dedupeKeys(
  { source, externalId, subject }: LeakAlert,
  fingerprint: string | undefined,
): string[] {
  if (fingerprint !== undefined) return [`token:${fingerprint}`];
  if (externalId !== undefined) return [externalKey(source, externalId)];
  if (subject.kind === 'hmsl-hash') return [`hmsl:${subject.hash}`];
  if (subject.kind !== 'coordinates') return [];
  const { cluster, namespace, serviceAccount, secret, jti } = subject.at;
  return [`at:${[cluster ?? '*', namespace, serviceAccount ?? '', secret ?? '', jti ?? ''].join('/')}`];
}
