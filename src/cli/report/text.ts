// What became of each leak, for people and as the JSON that is promised to programs.
import type { LeakAlert } from '../../domain/incident/alert.ts';
import { scrub } from '../../domain/token/leak-material.ts';
import { printable } from '../input.ts';
import type { Format } from './formats.ts';
import { dataOf, type Leak, type Sifted } from './leaks.ts';
import type { Sent } from './send.ts';

export interface Reported {
  format: Format;
  ignored: Sifted['ignored'];
  /** `unsent`: it was not tried, because of what happened to one before it. */
  results: { leak: Leak; sent: Sent | { kind: 'dry-run' } | { kind: 'unsent' } }[];
}

const REPEAT =
  'To repeat, give the same input to the same command again: what was accepted is recognised and opens nothing twice.';

export const notSent = ({ results }: Reported): number =>
  results.filter(({ sent }) => sent.kind === 'failed' || sent.kind === 'unsent').length;

export function reportText(reported: Reported, severity?: LeakAlert['severity']): string {
  const { format, results, ignored } = reported;
  const missing = notSent(reported);
  const lines = [
    results.length > 0
      ? `Found ${results.length} in the input (read as ${format}):`
      : `No ServiceAccount token was found in the input (read as ${format}). Nothing was sent.`,
    ...results.flatMap(({ leak, sent }, index) => [
      `${index + 1}. ${leak.title}, ${leak.where.join(', ')}`,
      ...outcome(leak, sent, severity).map((line) => `   ${line}`),
    ]),
    ...(ignored.length > 0 ? ['Not reported, because it is nothing for Tourniquet:'] : []),
    ...ignored.map(({ where, why }) => `- ${where}: ${why}`),
    ...(missing > 0 ? [`${missing} of ${results.length} NOT REPORTED. ${REPEAT}`] : []),
  ];
  return `${lines.map((line) => printable(scrub(line))).join('\n')}\n`;
}

function outcome(
  leak: Leak,
  sent: Reported['results'][number]['sent'],
  severity: LeakAlert['severity'],
): string[] {
  if (sent.kind === 'dry-run')
    return [`would be sent: ${hidden(dataOf(leak, severity))}`, 'Nothing was sent.'];
  if (sent.kind === 'unsent') return ['NOT REPORTED: it was not tried, because of the failure above.'];
  if (sent.kind === 'failed') return [`NOT REPORTED: ${sent.why}`];
  if (sent.incidents.length === 0) return ['reported before; which incident that was is not known any more.'];
  return sent.incidents.map(({ id, created }) =>
    created
      ? `reported: incident ${id}. Follow it with: tourniquet status ${id}`
      : `already known: incident ${id}`,
  );
}

/** What holds a token may hold other secrets, such as the private key in a kubeconfig. */
const MATERIAL = ['token', 'kubeconfig', 'manifest', 'text'];

const hidden = (data: Record<string, unknown>): string =>
  JSON.stringify(
    Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, MATERIAL.includes(key) ? '[secret]' : value]),
    ),
    (_key, value: unknown) => (typeof value === 'string' ? scrub(value) : value),
  );

/** Documented in docs/cli.md: what is here stays; more may come. */
export function reportJson(reported: Reported): object {
  const { format, results, ignored } = reported;
  return {
    version: 1,
    format,
    found: results.length,
    notReported: notSent(reported),
    leaks: results.map(({ leak: { title, where, url, severity }, sent }) => ({
      title,
      where: where.map(scrub),
      ...(url === undefined ? {} : { url: scrub(url) }),
      ...(severity === undefined ? {} : { severity }),
      result: sent.kind === 'taken' ? 'reported' : sent.kind === 'failed' ? 'failed' : sent.kind,
      ...(sent.kind === 'taken' ? { incidents: sent.incidents } : {}),
      ...(sent.kind === 'failed' ? { why: sent.why } : {}),
    })),
    ignored: ignored.map(({ where, why }) => ({ where: scrub(where), why })),
  };
}
