// The incident log in Redis: an append is one script in one round trip, a load is one round trip and verifies the chain.
import type { IncidentEvent } from '../../domain/incident/events.ts';
import { scrubbed } from '../../domain/text/scrub.ts';
import { AppError } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AppendRequest, AppendResult, IncidentLog, LoadedIncident } from '../../ports/incident-log.ts';
import { checkChain, macOf } from './chain.ts';
import type { Store } from './connect.ts';
import type { Keys } from './derived-keys.ts';
import { type KeySpace, keySpace } from './key-space.ts';
import { LEDGER_ID } from './ledger.ts';
import { ADVANCE, APPEND, LOAD, QUIET, RECOGNISE, SETTLE, TRAILS } from './scripts.lua.ts';
import { seal } from './vault.ts';

/** Raw access for audits, which must also be able to look at a damaged log. */
export interface AuditTrail {
  /** The entries as they are stored, and whether the incident is on the list of all incidents. */
  trail(id: string): Promise<Trail>;
  /** Those of many, in one round trip and in this order. */
  trails(ids: readonly string[]): Promise<Trail[]>;
}

export interface Trail {
  entries: string[];
  listed: boolean;
  /** As far as people were shown it. */
  shown: number;
}

export interface IncidentLogOptions {
  store: Store;
  prefix: string;
  keys: Keys;
  clock: Clock;
}

export function createIncidentLog(given: IncidentLogOptions): IncidentLog & AuditTrail {
  const { store, prefix, keys, clock } = given;
  const space = keySpace(prefix);
  const options = { store, space, keys };
  return {
    async append(request) {
      const entries = link(keys.chain, request, clock.now());
      const names = keysOf(space, request);
      const args = [
        scriptOptions(keys, request, clock.now()),
        ...entries.map((entry) => `${entry.mac} ${entry.text}`),
      ];
      const reply = await store.keep((redis) => redis.eval(APPEND, names.length, ...names, ...args));
      return appendResult(reply, request, entries);
    },
    load: (id) => readWhole(options, id),
    loadAfter: (id, version, head) => readAfter(options, id, { version, head }),
    async recognise(key, said) {
      const args = [space.claim(key), space.heard(''), space.repeats(''), said];
      // A number that is lost with the primary loses no decision, so no replica is waited for.
      const reply = await store.run((redis) => redis.eval(RECOGNISE, 1, ...args));
      if (reply === null) return undefined;
      const [by, counted] = reply as [string, number];
      return { by, counted: counted === 1 };
    },
    async quiet(id, version, said, forMs) {
      const names = [space.log(id), space.heard(id), space.repeats(id)];
      await store.run((redis) => redis.eval(QUIET, 3, ...names, version, said, forMs));
    },
    find: async (key) => (await store.run((redis) => redis.get(space.claim(key)))) ?? undefined,
    about: (name) => store.run((redis) => redis.zrevrange(space.about(name), 0, -1)),
    list: (limit) => store.run((redis) => redis.zrevrange(space.incidents, 0, limit - 1)),
    versions: (ids) => readVersions(store, space, ids),
    toSweep: () => store.run((redis) => redis.smembers(space.sweep)),
    async settle(id, version, cursors) {
      const names = [space.log(id), space.cursors(id), space.sweep];
      await store.run((redis) =>
        redis.eval(SETTLE, 3, ...names, id, version, ...Object.entries(cursors).flat()),
      );
    },
    advance: async (reporter, id, version) =>
      Number(await store.run((redis) => redis.eval(ADVANCE, 1, space.cursors(id), reporter, version))),
    trails: (ids) => readTrails(store, space, ids),
    trail: (id) => readTrail(store, space, id),
  };
}

/** In the order that the script expects. */
const keysOf = (space: KeySpace, { id, claim = [], budgets = [], about = [] }: AppendRequest): string[] => [
  space.log(id),
  space.incidents,
  space.sweep,
  space.token(id),
  space.heard(id),
  space.repeats(id),
  space.unanchored,
  ...claim.map(({ key }) => space.claim(key)),
  ...budgets.map(({ name }) => space.budget(name)),
  ...about.map((name) => space.about(name)),
];

/** A plan that waits longer is made anew, and is written under its name again. */
const KEEP_ABOUT_MS = 30 * 86_400_000;

interface Entry {
  mac: string;
  text: string;
}

function link(key: Buffer, request: AppendRequest, now: number): Entry[] {
  const { id, expected, events, head, notBefore = 0 } = request;
  const at = new Date(Math.max(now, notBefore)).toISOString();
  let previous = head;
  return events.map((body, i) => {
    // The last gate: whatever it came from, no token is written to the log.
    const text = JSON.stringify({ v: expected + i + 1, at, ...scrubbed(body) });
    previous = macOf(key, previous, id, text);
    return { mac: previous, text };
  });
}

function scriptOptions(keys: Keys, request: AppendRequest, now: number): string {
  return JSON.stringify({
    id: request.id,
    expected: request.expected,
    head: request.head,
    // Numbers that Redis reads back travel as text: Lua would write large ones in scientific notation.
    now: String(now),
    repeats: request.repeats ?? 0,
    claimFrom: (request.claim ?? []).map((claim) => claim.from ?? ''),
    ...(request.seal && {
      sealed: seal(keys.seal, request.id, request.seal.token),
      sealedTtl: String(request.seal.ttlMs),
    }),
    aboutSince: String(now - KEEP_ABOUT_MS),
    aboutFor: String(KEEP_ABOUT_MS),
    budgets: (request.budgets ?? []).map(({ limit, windowMs, member }) => ({
      limit,
      since: String(now - windowMs),
      window: String(windowMs),
      member: member ?? `${request.id}/${request.expected}`,
    })),
  });
}

function appendResult(reply: unknown, request: AppendRequest, entries: Entry[]): AppendResult {
  const [kind, by, index] = reply as [AppendResult['kind'], string?, number?];
  if (kind === 'held') return { kind, by: by ?? '', key: request.claim?.[(index ?? 1) - 1]?.key ?? '' };
  if (kind === 'over-budget') return { kind, budget: request.budgets?.[(index ?? 1) - 1]?.name ?? '' };
  if (kind !== 'appended') return { kind };
  return {
    kind,
    events: entries.map((entry) => JSON.parse(entry.text) as IncidentEvent),
    head: entries.at(-1)?.mac ?? request.head,
  };
}

/** The ledger's may be long: entries that are read in one request, since an answer has a second. */
const SLICE = 1000;

async function readTrail(store: Store, space: KeySpace, id: string): Promise<Trail> {
  // What was shown first, so that it is not ahead of the entries that it is compared with.
  const shown = await store.run((redis) => redis.hvals(space.cursors(id)));
  const entries: string[] = [];
  let slice: string[];
  do {
    const from = entries.length;
    slice = await store.run((redis) => redis.lrange(space.log(id), from, from + SLICE - 1));
    entries.push(...slice);
  } while (slice.length === SLICE);
  const score = await store.run((redis) => redis.zscore(space.incidents, id));
  return { entries, listed: score !== null, shown: Math.max(0, ...shown.map(Number)) };
}

async function readTrails(store: Store, space: KeySpace, ids: readonly string[]): Promise<Trail[]> {
  if (ids.length === 0) return [];
  const names = [space.incidents, ...ids.flatMap((id) => [space.log(id), space.cursors(id)])];
  const reply = await store.run((redis) => redis.eval(TRAILS, names.length, ...names, ...ids));
  return (reply as [0 | 1, string[], string[]][]).map(([listed, entries, shown]) => ({
    entries,
    listed: listed === 1,
    shown: Math.max(0, ...shown.map(Number)),
  }));
}

async function readVersions(store: Store, space: KeySpace, ids: readonly string[]): Promise<number[]> {
  if (ids.length === 0) return [];
  const replies = await store.run((redis) =>
    ids.reduce((all, id) => all.llen(space.log(id)), redis.pipeline()).exec(),
  );
  return (replies ?? []).map(([error, length]) => {
    if (error) throw error;
    return Number(length);
  });
}

type Reading = Pick<IncidentLogOptions, 'store' | 'keys'> & { space: KeySpace };

/** The last event that was verified before, by version and MAC. */
type KnownUpTo = { version: number; head: string };

async function readWhole(options: Reading, id: string): Promise<LoadedIncident | undefined> {
  // It is chained as incidents are, so whoever asks for it by its name would read it, and write to it, as one.
  if (id === LEDGER_ID) return undefined;
  const { entries, ...rest } = await readFrom(options, id, 0);
  if (entries.length === 0) return undefined;
  return { ...verified(options.keys.chain, id, entries, { version: 0, head: '' }), ...rest };
}

async function readAfter(
  options: Reading,
  id: string,
  known: KnownUpTo,
): Promise<LoadedIncident | undefined> {
  const { entries, ...rest } = await readFrom(options, id, known.version - 1);
  const [last, ...later] = entries;
  if (!last?.startsWith(`${known.head} `)) return undefined;
  return { ...verified(options.keys.chain, id, later, known), ...rest };
}

/** One script, so that no cursor is ahead of the events that it is read with. */
async function readFrom({ store, space }: Reading, id: string, from: number) {
  const names = [space.log(id), space.cursors(id), space.repeats(id)];
  const reply = await store.run((redis) => redis.eval(LOAD, 3, ...names, from));
  const [entries, shown, repeats] = reply as [string[], string[], string];
  const cursors: Record<string, number> = {};
  for (let i = 0; i < shown.length; i += 2) cursors[shown[i] ?? ''] = Number(shown[i + 1]);
  return { entries, cursors, repeats: Number(repeats) };
}

/** Of entries that follow what is known. */
function verified(
  key: Buffer,
  id: string,
  entries: string[],
  known: KnownUpTo,
): Pick<LoadedIncident, 'events' | 'head'> {
  const check = checkChain(key, id, entries, known.head);
  if (!check.intact)
    throw new AppError(
      'log-damaged',
      `The log of incident ${id} is damaged at entry ${known.version + check.entry}: it was changed, moved, or one before it is missing, or ` +
        `TOURNIQUET_KEY is not the one that it was written with. Nothing is done with this incident until a person has ` +
        `looked: run "tourniquet audit verify ${id}".`,
    );
  return { events: check.texts.map((text) => JSON.parse(text) as IncidentEvent), head: check.head };
}
