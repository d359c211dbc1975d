// Verifies every incident beside the ledger: what was removed as a whole, cut off, replaced, or kept out of the anchors.

import { MAC_LENGTH } from '../adapters/redis/chain.ts';
import type { AuditTrail } from '../adapters/redis/incident-log.ts';
import type { LogHead } from '../domain/ledger.ts';
import type { Chained } from '../engine/ledger.ts';
import type { IncidentLog } from '../ports.ts';
import { compareNoted, day, type Noted, type ReadLedger, readLedger } from './audit-ledger.ts';
import { type Verdict, verifyIncident } from './audit-verify.ts';

export type WholeTrail = AuditTrail & Pick<IncidentLog, 'list'>;

/** An incident as an anchor had it. */
interface Mark {
  version: number;
  head: string;
  /** "anchor 12 of 2026-11-24 03:00 UTC" */
  anchor: string;
}

/** Two processes' clocks, and the time between an alert and its entry. */
const SKEW_MS = 300_000;
const EVERYTHING = 1_000_000_000;
const SHOWN = 50;

export async function verifyAll(trail: WholeTrail, chain: Buffer, noted?: Noted): Promise<Verdict> {
  const ledger = await readLedger(trail, chain);
  const outside = noted ? compareNoted(noted, ledger, chain) : { fine: [], problems: [] };
  const marks = marksOf([...ledger.chained, ...(noted && 'lines' in noted ? noted.lines : [])]);
  const ids = new Set([...(await trail.list(EVERYTHING)), ...marks.keys(), ...ledger.stubs.keys()]);
  const problems = [...ledger.problems, ...outside.problems];
  let [intact, purged] = [0, 0];
  for (const id of [...ids].toSorted()) {
    const found = await verifyOne(trail, chain, id, ledger, marks.get(id) ?? []);
    if (found === 'intact') intact += 1;
    else if (found === 'purged') purged += 1;
    else problems.push(found.problem);
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
      ? `The ledger: ${chained.length} entries, the last of ${day(last.entry.at)} UTC. Head: ${last.mac}`
      : 'There is no anchor yet: the bot takes the first one when it starts.',
  ];
}

function marksOf(chained: readonly Chained[]): Map<string, Mark[]> {
  const marks = new Map<string, Mark[]>();
  for (const { entry } of chained) {
    if (entry.type !== 'anchor') continue;
    const anchor = `anchor ${entry.v} of ${day(entry.at)} UTC`;
    for (const [id, version, head] of entry.heads satisfies LogHead[])
      marks.set(id, [...(marks.get(id) ?? []), { version, head, anchor }]);
  }
  return marks;
}

type Found = 'intact' | 'purged' | { problem: string };

async function verifyOne(
  trail: AuditTrail,
  chain: Buffer,
  id: string,
  { chained, stubs }: ReadLedger,
  marks: readonly Mark[],
): Promise<Found> {
  const { entries } = await trail.trail(id);
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
  const verdict = await verifyIncident(trail, chain, id);
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
  return keptOut(id, entries, chained, marks) ?? 'intact';
}

/** An anchor covers everything that was opened before it. */
function keptOut(
  id: string,
  entries: readonly string[],
  chained: readonly Chained[],
  marks: readonly Mark[],
): Found | undefined {
  if (marks.length > 0) return undefined;
  const { at } = JSON.parse(entries[0]?.slice(MAC_LENGTH + 1) ?? '{}') as { at?: string };
  const since = Date.parse(at ?? '') + SKEW_MS;
  const after = chained.find(({ entry }) => entry.type === 'anchor' && Date.parse(entry.at) > since);
  return (
    after && {
      problem: `Incident ${id} was opened on ${day(at ?? '')} UTC, but anchor ${after.entry.v} of ${day(after.entry.at)} UTC does not have it: it was hidden then, or put there later.`,
    }
  );
}
