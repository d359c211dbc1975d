// Lets an auditor check that nobody changed an incident's log, and take it away in a form that can be checked without us.
import { readFileSync } from 'node:fs';
import { checkChain } from '../../adapters/redis/chain.ts';
import { deriveKeys } from '../../adapters/redis/derived-keys.ts';
import type { AuditTrail } from '../../adapters/redis/incident-log.ts';
import { settingsOf } from '../../compose/settings.ts';
import type { IncidentEvent } from '../../domain/incident/events.ts';
import { fold } from '../../domain/incident/fold.ts';
import { scrubbed } from '../../domain/text/scrub.ts';
import { type Purged, type PurgeOptions, purge } from '../../engine/keep/purge.ts';
import { AppError } from '../../errors.ts';
import type { Secret } from '../../secret.ts';
import { type CliCommand, defineCommand, parseCall, wrongCall } from '../command.ts';
import { renderReport } from '../incident/report.ts';
import { withTrail } from '../trail.ts';
import { verifyAll, type WholeTrail } from './all.ts';
import { day, readNoted } from './ledger.ts';
import { exportLine, goneIncident, type Verdict, verifyExport, verifyIncident } from './verify.ts';

export interface AuditOptions {
  /** Opened only where Redis is needed: an exported file is verified without it. */
  trail: () => WholeTrail;
  /** TOURNIQUET_KEY. */
  key: Secret;
  /** Closed before this time, Unix milliseconds. */
  purge(options: Pick<PurgeOptions, 'before' | 'by' | 'dryRun'>): Promise<Purged>;
  stdout: { write(text: string): unknown };
  /** What went wrong, so that an export into a file holds nothing else. */
  stderr: { write(text: string): unknown };
}

const OPTIONS = {
  head: {
    type: 'string',
    value: '<characters>',
    does: 'at least 8 characters of a log head noted elsewhere: the log must still hold that entry',
  },
  file: { type: 'string', value: '<file>', does: 'what `audit export` printed, instead of Redis' },
  all: { type: 'boolean', does: 'every incident, and the ledger over all of them' },
  anchor: {
    type: 'string',
    value: '<hash or file>',
    does: 'at least 8 characters of an anchor from the channel, or a file of log lines with anchors',
  },
  before: { type: 'string', value: '<date>', does: 'purge what was closed before, such as 2026-01-31' },
  'dry-run': { type: 'boolean', does: 'only say what would be purged' },
} as const;

export const audit: CliCommand = defineCommand({
  name: 'audit',
  usage: [
    [
      'audit verify <incident> [--head <first characters of a log head>]',
      'check that nobody changed the log of an incident',
    ],
    [
      'audit verify --all [--anchor <first characters of an anchor, or a file of them>]',
      'check all incidents, and that none was removed since an anchor that was noted elsewhere',
    ],
    ['audit export <incident>', 'print it as JSON Lines that can be checked elsewhere'],
    ['audit report <incident>', 'print it as a report that people read, in Markdown'],
    ['audit verify --file <file> [--head …]', 'check such an export, without Redis'],
    [
      'audit purge --before <date> [--dry-run]',
      'forget incidents that were closed before, and keep a stub of each',
    ],
  ],
  options: OPTIONS,
  exitCodes: '0 intact, printed or purged; 1 damaged; 2 a wrong call, or no such incident.',
  run(argv, { env, stdout, stderr }) {
    // A wrong call is told as such, and not as what the configuration lacks.
    readCall(argv);
    return withTrail(env, ({ config, trail, ledger }) => {
      const clock = { now: () => Date.now() };
      const forget: AuditOptions['purge'] = (options) =>
        purge({ log: trail(), ledger: ledger(), clock, settings: settingsOf(config) }, options);
      return runAudit(argv, { trail, key: config.key, purge: forget, stdout, stderr });
    });
  },
});

/** `argv`: what follows "audit". Answers the exit code: 0 intact, 1 damaged, 2 wrong call or no such incident. */
export async function runAudit(argv: string[], options: AuditOptions): Promise<number> {
  const { stdout, stderr } = options;
  try {
    const verdict = await answer(readCall(argv), options);
    stdout.write(typeof verdict === 'string' ? verdict : `${verdict.lines.join('\n')}\n`);
    return typeof verdict === 'string' || verdict.intact ? 0 : 1;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    stderr.write(`${error.message}\n`);
    return 2;
  }
}

async function answer(call: Call, { trail, key, purge: forget }: AuditOptions): Promise<Verdict | string> {
  const { chain } = deriveKeys(key);
  switch (call.does) {
    case 'export':
      return exportIncident(trail(), chain, call.id);
    case 'report':
      return reportOn(trail(), chain, call.id);
    case 'verify-all':
      return verifyAll(trail(), chain, call.anchor);
    case 'verify-file':
      return verifyExport(call.text, chain, call.head);
    case 'verify':
      return verifyIncident(trail(), chain, call.id, call.head);
    case 'purge':
      return purgeBefore(call, forget);
  }
}

type Call =
  | { does: 'export' | 'report'; id: string }
  | { does: 'verify'; id: string; head?: string }
  | { does: 'verify-file'; text: string; head?: string }
  | { does: 'verify-all'; anchor?: ReturnType<typeof readNoted> }
  | { does: 'purge'; date: string; before: number; dryRun: boolean };

function readCall(argv: string[]): Call {
  const { positionals, values } = parseCall(audit, argv, OPTIONS);
  const { file, anchor, before, all = false, 'dry-run': dryRun = false } = values;
  const [verb, id, ...more] = positionals;
  const head = values.head === undefined ? {} : { head: readHead(values.head) };
  if (more.length > 0) throw wrongCall(audit);
  if ((verb === 'export' || verb === 'report') && id) return { does: verb, id };
  if (verb === 'verify' && all && !id)
    return { does: 'verify-all', ...(anchor ? { anchor: readNoted(anchor) } : {}) };
  if (verb === 'verify' && file) return { does: 'verify-file', text: readExport(file), ...head };
  if (verb === 'verify' && id && !all) return { does: 'verify', id, ...head };
  if (verb === 'purge' && before && !id)
    return { does: 'purge', date: before, before: readDate(before), dryRun };
  throw wrongCall(audit);
}

function readHead(given: string): string {
  const head = given.toLowerCase();
  if (/^[0-9a-f]{8,64}$/.test(head)) return head;
  throw new AppError(
    'bad-input',
    '--head: give at least the first 8 characters of a log head, as shown on the incident.',
  );
}

function readDate(date: string): number {
  const before = /^\d{4}-\d\d-\d\d(T.*)?$/.test(date) ? Date.parse(date) : Number.NaN;
  if (before <= Date.now()) return before;
  throw new AppError('bad-input', `--before: write a date in the past, such as 2026-01-31, not ${date}.`);
}

async function purgeBefore(
  { date, before, dryRun }: Extract<Call, { does: 'purge' }>,
  forget: AuditOptions['purge'],
): Promise<string> {
  const { purged, kept } = await forget({ before, by: `audit purge --before ${date}`, dryRun });
  const done = dryRun ? 'would be purged' : 'purged';
  const lines = [
    ...purged.map(
      ({ incident, as, closedAt, entries }) =>
        `${done}: ${incident}, closed ${day(closedAt)} UTC as ${as}, ${entries} entries`,
    ),
    ...kept.map(({ id, why }) => `kept: ${id}, because ${why}`),
    `${purged.length} ${done}, ${kept.length} kept.`,
  ];
  return `${lines.join('\n')}\n`;
}

/** One JSON object per line: the incident, the MAC and the event. */
export async function exportIncident(trail: AuditTrail, chain: Buffer, id: string): Promise<string> {
  const { entries } = await trail.trail(id);
  if (entries.length === 0) throw await goneIncident(trail, chain, id);
  return entries.map((entry) => `${JSON.stringify(scrubbed(exportLine(id, entry)))}\n`).join('');
}

/** Only of a log that verifies: a report of a damaged one would be believed. */
async function reportOn(trail: AuditTrail, chain: Buffer, id: string): Promise<string> {
  const { entries } = await trail.trail(id);
  if (entries.length === 0) throw await goneIncident(trail, chain, id);
  const check = checkChain(chain, id, entries);
  if (!check.intact)
    throw new AppError(
      'log-damaged',
      `The log of incident ${id} is damaged at entry ${check.entry}, so there is no report of it. See: tourniquet audit verify ${id}`,
    );
  const events = check.texts.map((text) => JSON.parse(text) as IncidentEvent);
  return renderReport({ incident: fold(id, events), events, head: check.head });
}

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
