// Verifies every incident beside the ledger: what was removed as a whole, cut off, replaced, or kept out of the anchors.
import { setFlagsFromString } from 'node:v8';
import { MAC_LENGTH } from '../../adapters/redis/chain.ts';
import type { AuditTrail, Trail } from '../../adapters/redis/incident-log.ts';
import type { IncidentLog } from '../../ports/incident-log.ts';
import {
  type Brief,
  compareNoted,
  day,
  type Mark,
  mark,
  type Noted,
  type ReadLedger,
  readLedger,
} from './ledger.ts';
import { type Verdict, verifyTrail } from './verify.ts';

export type WholeTrail = AuditTrail & Pick<IncidentLog, 'list'>;

/** Two processes' clocks, and the time between an alert and its entry. */
const SKEW_MS = 300_000;
const EVERYTHING = 1_000_000_000;
const SHOWN = 50;

export async function verifyAll(trail: WholeTrail, chain: Buffer, noted?: Noted): Promise<Verdict> {
  // Strings by the million that live for a moment: by itself the heap would grow to four times of what is in use.
  setFlagsFromString('--heap-growing-percent=50');
  const ledger = await readLedger(trail, chain);
  const outside = noted ? compareNoted(noted, ledger, chain) : { fine: [], problems: [] };
  const { marks } = ledger;
  for (const { entry } of noted && 'lines' in noted ? noted.lines : []) mark(marks, entry);
  const ids = new Set([...(await trail.list(EVERYTHING)), ...marks.keys(), ...ledger.stubs.keys()]);
  const problems = [...ledger.problems, ...outside.problems];
  let [intact, purged] = [0, 0];
  const beside = { chain, stubs: ledger.stubs, daily: ledger.chained.filter(({ daily }) => daily) };
  for await (const [id, found] of trailsOf(trail, [...ids].toSorted())) {
    const one = verifyOne(id, found, beside, marks.get(id) ?? []);
    if (one === 'intact') intact += 1;
    else if (one === 'purged') purged += 1;
    else problems.push(one.problem);
  }
  if (problems.length > 0) {
    const more = problems.length - SHOWN;
    return {
      intact: false,
      lines: [
        ...problems.slice(0, SHOWN),
        ...(more > 0 ? [`… and ${more} more.`] : []),
        `${intact} other incidents are as they were written.`,
      ],
    };
  }
  return {
    intact: true,
    lines: [...summary(ledger, intact, purged), ...outside.fine, ...(noted ? [] : [UNSEEN])],
  };
}

const UNSEEN =
  'Whoever removes incidents and the end of the ledger with them cannot be seen without an anchor noted elsewhere: give one from the channel or from collected logs by --anchor.';

function summary({ chained }: ReadLedger, intact: number, purged: number): string[] {
  const last = chained.at(-1);
  return [
    `${intact} incidents are as they were written, and as every anchor had them.${purged > 0 ? ` ${purged} were purged, and their stubs are intact.` : ''}`,
    last
      ? `The ledger: ${chained.length} entries, the last of ${day(last.at)} UTC. Head: ${last.mac}`
      : 'There is no anchor yet: the bot takes the first one when it starts.',
  ];
}

type Found = 'intact' | 'purged' | { problem: string };

/** Logs that are read in one request: few, because one may be long. */
const BATCH = 50;

async function* trailsOf(trail: AuditTrail, ids: readonly string[]): AsyncGenerator<[string, Trail]> {
  for (let from = 0; from < ids.length; from += BATCH) {
    const batch = ids.slice(from, from + BATCH);
    const found = await trail.trails(batch);
    for (const [i, one] of found.entries()) yield [batch[i] ?? '', one];
  }
}

interface Beside {
  chain: Buffer;
  stubs: ReadLedger['stubs'];
  /** Anchors that looked at every incident. */
  daily: Brief[];
}

function verifyOne(id: string, found: Trail, { chain, stubs, daily }: Beside, marks: readonly Mark[]): Found {
  const { entries } = found;
  const stub = stubs.get(id);
  const last = marks.at(-1);
  if (entries.length === 0 && stub) {
    const other = marks.find(
      ({ version, head }) => version > stub.entries || (version === stub.entries && head !== stub.head),
    );
    return other
      ? {
          problem: `Incident ${id}: its stub says ${stub.entries} entries, but ${other.anchor} had ${other.version} with another head.`,
        }
      : 'purged';
  }
  if (entries.length === 0 && last)
    return {
      problem: `Incident ${id} was removed as a whole: ${last.anchor} had it with ${last.version} entries, and no stub says that it was purged.`,
    };
  if (stub)
    return { problem: `Incident ${id} was purged on ${day(stub.at)} UTC, but a log of it is there again.` };
  const verdict = verifyTrail(id, found, chain);
  if (!verdict.intact) return { problem: verdict.lines.join(' ') };
  const broken = marks.find(({ version, head }) => entries[version - 1]?.slice(0, MAC_LENGTH) !== head);
  if (broken) {
    const how =
      entries.length < broken.version
        ? `it has only ${entries.length} now: its end was cut off`
        : 'now that entry is another: the log was replaced';
    return {
      problem: `Incident ${id}: ${broken.anchor} had it with ${broken.version} entries and the head ${broken.head.slice(0, 16)}; ${how}.`,
    };
  }
  return keptOut(id, entries, daily, marks) ?? 'intact';
}

/** A daily anchor covers everything that was opened before it. */
function keptOut(
  id: string,
  entries: readonly string[],
  daily: readonly Brief[],
  marks: readonly Mark[],
): Found | undefined {
  if (marks.length > 0) return undefined;
  const { at } = JSON.parse(entries[0]?.slice(MAC_LENGTH + 1) ?? '{}') as { at?: string };
  const since = Date.parse(at ?? '') + SKEW_MS;
  const isAfter = (anchor?: Brief) => anchor !== undefined && Date.parse(anchor.at) > since;
  const after = isAfter(daily.at(-1)) ? daily.find(isAfter) : undefined;
  return (
    after && {
      problem: `Incident ${id} was opened on ${day(at ?? '')} UTC, but anchor ${after.v} of ${day(after.at)} UTC does not have it: it was hidden then, or put there later.`,
    }
  );
}
