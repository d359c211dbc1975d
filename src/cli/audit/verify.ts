// Whether the log of one incident, in Redis or exported, is as it was written; and what cannot be known.
import { checkChain, MAC_LENGTH } from '../../adapters/redis/chain.ts';
import type { AuditTrail, Trail } from '../../adapters/redis/incident-log.ts';
import { AppError } from '../../errors.ts';
import { type ReadStub, readLedger, stubLines } from './ledger.ts';

export interface Verdict {
  intact: boolean;
  /** Sentences for people. */
  lines: string[];
}

export async function verifyIncident(
  trail: AuditTrail,
  chain: Buffer,
  id: string,
  head?: string,
): Promise<Verdict> {
  const found = await trail.trail(id);
  if (found.entries.length === 0) {
    const { stubs } = await readLedger(trail, chain);
    const stub = stubs.get(id);
    if (stub) return verifyStub(stub, head);
  }
  return verifyTrail(id, found, chain, head);
}

/** Of an incident that was not purged. */
export function verifyTrail(
  id: string,
  { entries, listed, shown }: Trail,
  chain: Buffer,
  head?: string,
): Verdict {
  if (entries.length === 0 && !listed) throw unknownIncident(id);
  if (entries.length === 0)
    return damaged(`Incident ${id} is on the list of incidents, but its whole log is gone.`);
  if (entries.length < shown)
    return damaged(
      `Incident ${id} has ${entries.length} entries, but ${shown} were shown to people: entries are missing at the end.`,
    );
  return verifyEntries(id, entries, chain, head);
}

function verifyStub(stub: ReadStub, head?: string): Verdict {
  if (head !== undefined && !stub.head.startsWith(head))
    return damaged(
      `Incident ${stub.incident} was purged, and its last head was ${stub.head}, not ${head}. An older head can only be checked in an export.`,
    );
  return { intact: true, lines: stubLines(stub) };
}

export function exportLine(incident: string, entry: string) {
  const text = entry.slice(MAC_LENGTH + 1);
  const event = parseJson(text);
  // Only text that comes back the same may travel as an object: the MAC covers every character of it.
  const faithful = event !== undefined && JSON.stringify(event) === text;
  return { incident, mac: entry.slice(0, MAC_LENGTH), event: faithful ? event : text };
}

export function verifyExport(text: string, chain: Buffer, head?: string): Verdict {
  const rows = text.split('\n').filter((line) => line.trim() !== '');
  const parsed = rows.map(
    (row) => parseJson(row) as Partial<ReturnType<typeof exportLine>> | null | undefined,
  );
  const id = parsed[0]?.incident;
  const bad = parsed.findIndex((row) => typeof row?.mac !== 'string' || !row.event || row.incident !== id);
  if (id === undefined || bad >= 0)
    return damaged(
      `Line ${Math.max(bad, 0) + 1} is not a line of the export of one incident: {"incident", "mac", "event"}.`,
    );
  const entries = parsed.map((row) => {
    const event = typeof row?.event === 'string' ? row.event : JSON.stringify(row?.event);
    return `${row?.mac} ${event}`;
  });
  return verifyEntries(id, entries, chain, head);
}

function verifyEntries(id: string, entries: string[], chain: Buffer, head?: string): Verdict {
  const check = checkChain(chain, id, entries);
  if (!check.intact) {
    const before = check.entry > 1 ? ` Entries 1 to ${check.entry - 1} are as they were written.` : '';
    return damaged(
      `Incident ${id}: entry ${check.entry} of ${entries.length} was changed or moved, or one before it was removed.${before} ` +
        'If every incident says this, TOURNIQUET_KEY is not the one that they were written with.',
    );
  }
  const intact = `Incident ${id}: all ${entries.length} entries are as they were written. Head: ${check.head}`;
  if (head === undefined)
    return {
      intact: true,
      lines: [
        intact,
        'Entries removed from the end cannot be seen without a head: compare with one noted elsewhere, such as in the Slack ' +
          'thread, by --head <head>.',
      ],
    };
  const at = check.macs.findIndex((mac) => mac.startsWith(head));
  if (at < 0)
    return damaged(
      `Incident ${id}: the ${entries.length} entries fit together, but none of them has the head ${head}: the end of the log ` +
        'was removed after that head was noted, or the head is another incident’s.',
    );
  return {
    intact: true,
    lines: [intact, `The head ${head} is that of entry ${at + 1}: nothing up to there was removed.`],
  };
}

const damaged = (line: string): Verdict => ({ intact: false, lines: [line] });

const unknownIncident = (id: string) =>
  new AppError('not-found', `There is no incident ${id}. Copy the id from its card in Slack.`);

/** Never there, or purged. */
export async function goneIncident(trail: AuditTrail, chain: Buffer, id: string): Promise<AppError> {
  const stub = (await readLedger(trail, chain)).stubs.get(id);
  return stub ? new AppError('gone', stubLines(stub).join('\n')) : unknownIncident(id);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
