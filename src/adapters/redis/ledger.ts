// The ledger in Redis: a log beside those of the incidents, chained in the same way, that says how far they all had come.
import { type LedgerEntry, type LogHead, learn, ledgerText, nothingKnown } from '../../domain/ledger.ts';
import { scrubbed } from '../../domain/scrub.ts';
import type { Chained, Ledger, Place } from '../../engine/ledger.ts';
import { AppError } from '../../errors.ts';
import { checkChain, MAC_LENGTH, macOf } from './chain.ts';
import type { Store } from './connect.ts';
import { type KeySpace, keySpace } from './key-space.ts';
import type { Keys } from './keys.ts';
import { ADVANCE, HEADS, LEDGER } from './scripts.lua.ts';

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
  const read = (from: number) => store.run((redis) => redis.lrange(space.log(LEDGER_ID), from, -1));
  return {
    async read() {
      const chained = verified(keys.chain, await read(0), 0);
      const known = nothingKnown();
      for (const { entry } of chained) learn(known, entry);
      return { known, version: chained.length, head: chained.at(-1)?.mac ?? '' };
    },
    async since(version) {
      const entries = await read(Math.max(0, version - 1));
      const before = version === 0 ? '' : (entries.shift() ?? '').slice(0, MAC_LENGTH);
      return verified(keys.chain, entries, version, before);
    },
    heads: () => headsOf(parts),
    async anchor(after, at, anchor) {
      const result = await append(parts, after, { ...anchor, ...next(after, at) });
      return result === 'changed' ? 'conflict' : result;
    },
    purge(after, at, stub, claims) {
      const { incident: id, entries, head } = stub;
      const told = [space.log(id), space.cursors(id), space.token(id), space.card(id)];
      const own = [...told, space.heard(id), space.repeats(id)];
      const shared = [space.incidents, space.sweep, space.openings, space.burstOf];
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

const next = ({ version }: Place, at: number) => ({ v: version + 1, at: new Date(at).toISOString() });

async function append(
  { store, space, chain }: Parts,
  { version, head }: Place,
  entry: LedgerEntry,
  incident: { names: string[]; args: string[] } = { names: [], args: [] },
): Promise<Place | 'conflict' | 'changed'> {
  const text = ledgerText(scrubbed(entry));
  const mac = macOf(chain, head, LEDGER_ID, text);
  const names = [space.log(LEDGER_ID), ...incident.names];
  const args = [String(version), head, `${mac} ${text}`, ...incident.args];
  // What is published must not be gone after a fail-over: it would look as if somebody had cut it off.
  const answer = await store.keep((redis) => redis.eval(LEDGER, names.length, ...names, ...args));
  return answer === 'conflict' || answer === 'changed' ? answer : { version: version + 1, head: mac };
}

async function headsOf({ store, space }: Parts): Promise<LogHead[]> {
  const ids = await store.run((redis) => redis.zrange(space.incidents, '0', '-1'));
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
