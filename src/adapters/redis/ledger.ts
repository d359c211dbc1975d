// The ledger in Redis: a log beside those of the incidents, chained in the same way, that says how far they all had come.
import {
  type LedgerEntry,
  type LogHead,
  learn,
  ledgerText,
  nothingKnown,
} from '../../domain/afterwards/ledger.ts';
import { scrubbed } from '../../domain/text/scrub.ts';
import type { Chained, Ledger, LedgerPosition } from '../../engine/ground/ledger.ts';
import { AppError } from '../../errors.ts';
import { checkChain, MAC_LENGTH, macOf } from './chain.ts';
import type { Store } from './connect.ts';
import type { Keys } from './derived-keys.ts';
import { type KeySpace, keySpace } from './key-space.ts';
import { ADVANCE, ANCHORED, END, HEADS, LEDGER } from './scripts.lua.ts';

/** No incident's id, so that no entry of a log can be taken for one of the ledger. */
export const LEDGER_ID = '@ledger';

/** Logs that are looked at in one request: it must not hold up a kill for long. */
const BATCH = 500;

interface Parts {
  store: Store;
  space: KeySpace;
  chain: Buffer;
}

export function createLedger({ store, prefix, keys }: { store: Store; prefix: string; keys: Keys }): Ledger {
  const space = keySpace(prefix);
  const parts = { store, space, chain: keys.chain };
  const cursors = space.cursors(LEDGER_ID);
  return {
    async read() {
      const known = nothingKnown();
      let place: LedgerPosition = { version: 0, head: '' };
      for await (const { mac, entry } of entriesFrom(parts, 0)) {
        learn(known, entry);
        place = { version: place.version + 1, head: mac };
      }
      return { known, ...place };
    },
    async since(version) {
      const entries: Chained[] = [];
      for await (const entry of entriesFrom(parts, version)) entries.push(entry);
      return entries;
    },
    end: () => endOf(parts),
    async heads() {
      return await headsOf(parts, await store.run((redis) => redis.zrange(space.incidents, '0', '-1')));
    },
    async changed() {
      return await headsOf(parts, await store.run((redis) => redis.smembers(space.unanchored)));
    },
    async anchor(after, at, anchor) {
      const result = await append(parts, after, { ...anchor, ...next(after, at) });
      if (typeof result === 'string') return 'conflict';
      const names = [space.unanchored, ...anchor.heads.map(([id]) => space.log(id))];
      // Where a crash comes before it, they are anchored once more.
      await store.run((redis) => redis.eval(ANCHORED, names.length, ...names, ...anchor.heads.flat()));
      return result;
    },
    purge(after, at, stub, claims) {
      const { incident: id, entries, head } = stub;
      const told = [space.log(id), space.cursors(id), space.token(id), space.card(id)];
      const own = [...told, space.heard(id), space.repeats(id)];
      const shared = [space.incidents, space.sweep, space.openings, space.burstOf, space.unanchored];
      const names = [...shared, ...own, ...claims.map((claim) => space.claim(claim))];
      const args = [id, String(entries), head, space.burst('')];
      return append(parts, after, { ...stub, ...next(after, at) }, { names, args });
    },
    openedBefore: (ms) => store.run((redis) => redis.zrangebyscore(space.incidents, '-inf', String(ms))),
    published: async (publisher) => Number((await store.run((redis) => redis.hget(cursors, publisher))) ?? 0),
    async advance(publisher, version) {
      await store.run((redis) => redis.eval(ADVANCE, 1, cursors, publisher, version));
    },
  };
}

const next = ({ version }: LedgerPosition, at: number) => ({
  v: version + 1,
  at: new Date(at).toISOString(),
});

async function append(
  { store, space, chain }: Parts,
  { version, head }: LedgerPosition,
  entry: LedgerEntry,
  incident: { names: string[]; args: string[] } = { names: [], args: [] },
): Promise<LedgerPosition | 'conflict' | 'changed'> {
  const text = ledgerText(scrubbed(entry));
  const mac = macOf(chain, head, LEDGER_ID, text);
  const names = [space.log(LEDGER_ID), ...incident.names];
  const args = [String(version), head, `${mac} ${text}`, ...incident.args];
  // What is published must not be gone after a fail-over: it would look as if somebody had cut it off.
  const answer = await store.keep((redis) => redis.eval(LEDGER, names.length, ...names, ...args));
  return answer === 'conflict' || answer === 'changed' ? answer : { version: version + 1, head: mac };
}

/** By its last entry alone, beside the one before that. */
async function endOf({ store, space, chain }: Parts): Promise<LedgerPosition> {
  const reply = await store.run((redis) => redis.eval(END, 1, space.log(LEDGER_ID)));
  const [version, entries] = reply as [number, string[]];
  const before = entries.length > 1 ? (entries[0] ?? '').slice(0, MAC_LENGTH) : '';
  const [last] = verified(chain, entries.slice(-1), Math.max(0, version - 1), before);
  return { version, head: last?.mac ?? '' };
}

/** Entries of the ledger that are read in one request, of a hundred heads each at most: an answer has a second. */
const SLICE = 200;

/** Those after this version, each verified beside the one before it. */
async function* entriesFrom({ store, space, chain }: Parts, version: number): AsyncGenerator<Chained> {
  const key = space.log(LEDGER_ID);
  let mac = '';
  if (version > 0)
    mac = ((await store.run((redis) => redis.lindex(key, version - 1))) ?? '').slice(0, MAC_LENGTH);
  for (let at = version; ; at += SLICE) {
    const from = at;
    const entries = await store.run((redis) => redis.lrange(key, from, from + SLICE - 1));
    const chained = verified(chain, entries, at, mac);
    yield* chained;
    if (entries.length < SLICE) return;
    mac = chained.at(-1)?.mac ?? mac;
  }
}

async function headsOf({ store, space }: Parts, ids: readonly string[]): Promise<LogHead[]> {
  const heads: LogHead[] = [];
  for (let from = 0; from < ids.length; from += BATCH) {
    const batch = ids.slice(from, from + BATCH);
    const names = batch.map((id) => space.log(id));
    const reply = await store.run((redis) => redis.eval(HEADS, names.length, ...names));
    const found = reply as (string | number)[];
    for (const [i, id] of batch.entries()) {
      const [version, head] = [Number(found[2 * i]), String(found[2 * i + 1])];
      if (version > 0) heads.push([id, version, head]);
    }
  }
  return heads;
}

/** `before`: how many entries there are before the first of these, and `mac` the keyed hash of the last of those. */
function verified(key: Buffer, entries: string[], before: number, mac = ''): Chained[] {
  const check = checkChain(key, LEDGER_ID, entries, mac);
  if (!check.intact)
    throw new AppError(
      'log-damaged',
      `The audit ledger is damaged at entry ${before + check.entry}: it was changed, or one before it is missing. No anchor is ` +
        'taken and nothing is purged until a person has looked: run "tourniquet audit verify --all". Incidents go on.',
    );
  return check.texts.map((text, i) => ({ mac: check.macs[i] ?? '', entry: JSON.parse(text) as LedgerEntry }));
}
