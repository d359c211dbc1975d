// Lets an auditor check that nobody changed an incident's log, and take it away in a form that can be checked without us.
import { readFileSync } from 'node:fs';
import { checkChain, MAC_LENGTH } from '../adapters/redis/chain.ts';
import type { AuditTrail } from '../adapters/redis/incident-log.ts';
import { deriveKeys } from '../adapters/redis/keys.ts';
import { fold } from '../domain/fold.ts';
import type { IncidentEvent } from '../domain/incident.ts';
import { AppError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { type CliCommand, parseCall, usageOf } from './command.ts';
import { renderReport } from './incident-report.ts';
import { withTrail } from './trail.ts';

export interface Verdict {
  intact: boolean;
  /** Sentences for people. */
  lines: string[];
}

export interface AuditOptions {
  /** Opened only where Redis is needed: an exported file is verified without it. */
  trail: () => AuditTrail;
  /** TOURNIQUET_KEY. */
  key: Secret;
  stdout: { write(text: string): unknown };
}

const OPTIONS = {
  head: {
    type: 'string',
    value: '<characters>',
    does: 'at least 8 characters of a log head noted elsewhere: the log must still hold that entry',
  },
  file: { type: 'string', value: '<file>', does: 'what `audit export` printed, instead of Redis' },
} as const;

export const audit: CliCommand = {
  name: 'audit',
  usage: [
    [
      'audit verify <incident> [--head <first characters of a log head>]',
      'check that nobody changed the log of an incident',
    ],
    ['audit export <incident>', 'print it as JSON Lines that can be checked elsewhere'],
    ['audit report <incident>', 'print it as a report that people read, in Markdown'],
    ['audit verify --file <file> [--head …]', 'check such an export, without Redis'],
  ],
  options: OPTIONS,
  exitCodes: '0 intact, or printed; 1 damaged; 2 a wrong call, or no such incident.',
  run: (argv, { env, stdout }) =>
    withTrail(env, ({ config, trail }) => runAudit(argv, { trail, key: config.key, stdout })),
};

/** `argv`: what follows "audit". Answers the exit code: 0 intact, 1 damaged, 2 wrong call or no such incident. */
export async function runAudit(argv: string[], { trail, key, stdout }: AuditOptions): Promise<number> {
  const { chain } = deriveKeys(key);
  const say = (verdict: Verdict): number => {
    stdout.write(`${verdict.lines.join('\n')}\n`);
    return verdict.intact ? 0 : 1;
  };
  try {
    const { verb, id, head, file } = readCall(argv);
    if (verb === 'export' && id) {
      stdout.write(await exportIncident(trail(), id));
      return 0;
    }
    if (verb === 'report' && id) {
      stdout.write(await reportOn(trail(), chain, id));
      return 0;
    }
    if (verb === 'verify' && file) return say(verifyExport(readExport(file), chain, head));
    if (verb === 'verify' && id) return say(await verifyIncident(trail(), chain, id, head));
    stdout.write(`${usageOf(audit)}\n`);
    return 2;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    stdout.write(`${error.message}\n`);
    return 2;
  }
}

function readCall(argv: string[]) {
  const { positionals, values } = parseCall(audit, argv, OPTIONS);
  const head = values.head?.toLowerCase();
  if (head !== undefined && !/^[0-9a-f]{8,64}$/.test(head))
    throw new AppError(
      'bad-input',
      '--head: give at least the first 8 characters of a log head, as shown on the incident.',
    );
  return { verb: positionals[0], id: positionals[1], head, file: values.file };
}

export async function verifyIncident(
  trail: AuditTrail,
  chain: Buffer,
  id: string,
  head?: string,
): Promise<Verdict> {
  const { entries, listed, shown } = await trail.trail(id);
  if (entries.length === 0 && !listed) throw unknownIncident(id);
  if (entries.length === 0)
    return damaged(`Incident ${id} is on the list of incidents, but its whole log is gone.`);
  if (entries.length < shown)
    return damaged(
      `Incident ${id} has ${entries.length} entries, but ${shown} were shown in Slack: entries are missing at the end.`,
    );
  return verifyEntries(id, entries, chain, head);
}

/** One JSON object per line: the incident, the MAC and the event. */
export async function exportIncident(trail: AuditTrail, id: string): Promise<string> {
  const { entries } = await trail.trail(id);
  if (entries.length === 0) throw unknownIncident(id);
  return entries.map((entry) => `${JSON.stringify(exportLine(id, entry))}\n`).join('');
}

/** Only of a log that verifies: a report of a damaged one would be believed. */
async function reportOn(trail: AuditTrail, chain: Buffer, id: string): Promise<string> {
  const { entries } = await trail.trail(id);
  if (entries.length === 0) throw unknownIncident(id);
  const check = checkChain(chain, id, entries);
  if (!check.intact)
    throw new AppError(
      'log-damaged',
      `The log of incident ${id} is damaged at entry ${check.entry}, so there is no report of it. See: tourniquet audit verify ${id}`,
    );
  const events = check.texts.map((text) => JSON.parse(text) as IncidentEvent);
  return renderReport({ incident: fold(id, events), events, head: check.head });
}

function exportLine(incident: string, entry: string) {
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

function readExport(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new AppError(
      'bad-input',
      `Cannot read ${path}. Make it with: tourniquet audit export <incident> > ${path}`,
      { cause },
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
