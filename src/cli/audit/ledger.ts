// The ledger as an auditor reads it: also a damaged one, and beside what was noted of it elsewhere.
import { existsSync, readFileSync } from 'node:fs';
import { checkChain, macOf } from '../../adapters/redis/chain.ts';
import type { AuditTrail } from '../../adapters/redis/incident-log.ts';
import { LEDGER_ID } from '../../adapters/redis/ledger.ts';
import { type LedgerEntry, ledgerText, type Stub } from '../../domain/afterwards/ledger.ts';
import type { Chained } from '../../engine/ground/ledger.ts';
import { AppError } from '../../errors.ts';

export type ReadStub = Stub & { at: string; v: number };

/** An incident as an anchor had it. */
export interface Mark {
  version: number;
  head: string;
  /** "anchor 12 of 2026-11-24 03:00 UTC" */
  anchor: string;
}

/** An entry without what it holds: of a hundred thousand incidents that is kept once. */
export interface Brief {
  mac: string;
  v: number;
  at: string;
  daily: boolean;
}

export interface ReadLedger {
  /** As far as it verifies. */
  chained: Brief[];
  /** By incident. */
  marks: Map<string, Mark[]>;
  stubs: Map<string, ReadStub>;
  problems: string[];
}

export async function readLedger(trail: AuditTrail, chain: Buffer): Promise<ReadLedger> {
  const { entries, shown } = await trail.trail(LEDGER_ID);
  const check = checkChain(chain, LEDGER_ID, entries);
  const problems: string[] = [];
  if (!check.intact)
    problems.push(
      `The ledger: entry ${check.entry} of ${entries.length} was changed, moved or invented, or one before it was removed. ` +
        'Anchors and stubs from there on prove nothing.',
    );
  if (entries.length < shown)
    problems.push(
      `The ledger has ${entries.length} entries, but ${shown} were published: entries are missing at its end.`,
    );
  const sound = check.intact ? check : checkChain(chain, LEDGER_ID, entries.slice(0, check.entry - 1));
  const read: ReadLedger = { chained: [], marks: new Map(), stubs: new Map(), problems };
  const { texts, macs } = sound.intact ? sound : { texts: [], macs: [] };
  for (const [i, text] of texts.entries()) {
    const entry = JSON.parse(text) as LedgerEntry;
    const daily = entry.type === 'anchor' && entry.why === 'daily';
    read.chained.push({ mac: macs[i] ?? '', v: entry.v, at: entry.at, daily });
    if (entry.type === 'purged') read.stubs.set(entry.incident, entry);
    else mark(read.marks, entry);
  }
  return read;
}

/** A newer version may write what this one does not know yet. */
export function mark(marks: ReadLedger['marks'], entry: LedgerEntry): void {
  if (entry.type !== 'anchor') return;
  const anchor = `anchor ${entry.v} of ${day(entry.at)} UTC`;
  for (const [id, version, head] of entry.heads) {
    const before = marks.get(id);
    if (before) before.push({ version, head, anchor });
    else marks.set(id, [{ version, head, anchor }]);
  }
}

export const day = (iso: string): string => iso.slice(0, 16).replace('T', ' ');

/** What is known of an incident that is no more. */
export const stubLines = ({
  incident,
  entries,
  head,
  openedAt,
  closedAt,
  as,
  by,
  at,
  v,
}: ReadStub): string[] => [
  `Incident ${incident} was purged on ${day(at)} UTC by ${by}. Its stub is intact (entry ${v} of the ledger): opened ${day(openedAt)}, closed ${day(closedAt)} as ${as}, ${entries} entries. Head: ${head}`,
  `An export that was made before still verifies: tourniquet audit verify --file <file> --head ${head.slice(0, 16)}`,
];

/** What was noted elsewhere: a hash from the channel, or the lines of a log. */
export type Noted = { hash: string } | { path: string; lines: Chained[] };

export function readNoted(given: string): Noted {
  if (!existsSync(given)) {
    if (/^[0-9a-f]{8,64}$/i.test(given)) return { hash: given.toLowerCase() };
    throw new AppError(
      'bad-input',
      `--anchor: ${given} is neither a file nor the first 8 or more characters of an anchor, as posted in the channel.`,
    );
  }
  const lines = readFileSync(given, 'utf8').split('\n').flatMap(anchorIn);
  if (lines.length === 0)
    throw new AppError(
      'bad-input',
      `${given} holds no anchor. Collect the bot's log lines with "event":"anchor"; other lines may stand between them.`,
    );
  return { path: given, lines };
}

function anchorIn(line: string): Chained[] {
  try {
    const { event, mac, entry } = JSON.parse(line) as { event?: unknown } & Partial<Chained>;
    const known = entry?.type === 'anchor' || entry?.type === 'purged';
    return event === 'anchor' && typeof mac === 'string' && known ? [{ mac, entry }] : [];
  } catch {
    return [];
  }
}

/** What the ledger says about them: problems, and what is fine. */
export function compareNoted(noted: Noted, { chained }: ReadLedger, chain: Buffer) {
  if ('hash' in noted) {
    const found = chained.find(({ mac }) => mac.startsWith(noted.hash));
    return found
      ? {
          fine: [
            `The anchor ${noted.hash} is entry ${found.v} of the ledger, of ${day(found.at)} UTC: nothing up to there was removed.`,
          ],
          problems: [],
        }
      : {
          fine: [],
          problems: [
            `The anchor ${noted.hash} is not in the ledger: it was cut off or replaced after that was noted, or the hash is another installation's.`,
          ],
        };
  }
  const { path, lines } = noted;
  const edited = lines.filter(({ mac, entry }) => {
    const before = entry.v === 1 ? '' : lines.find((one) => one.entry.v === entry.v - 1)?.mac;
    return before !== undefined && macOf(chain, before, LEDGER_ID, ledgerText(entry)) !== mac;
  });
  const missing = lines.filter(({ mac, entry }) => chained[entry.v - 1]?.mac !== mac);
  const [first] = missing;
  const problems = [
    ...edited.map(({ entry }) => `${path}: entry ${entry.v} is not as it was written, or is of another key.`),
    ...(first
      ? [
          `${missing.length} of ${lines.length} entries in ${path} are not in the ledger, the first of them entry ${first.entry.v} of ${day(first.entry.at)} UTC: it was cut off or replaced.`,
        ]
      : []),
  ];
  const fine = problems.length === 0 ? [`All ${lines.length} entries in ${path} are in the ledger.`] : [];
  return { fine, problems };
}
