// A leak from a terminal or CI: what a person pipes in, or what a scanner printed, becomes signed alerts, each token once.
import { setTimeout as wait } from 'node:timers/promises';
import { readSecret } from '../../config/secrets.ts';
import { AppError } from '../../errors.ts';
import { type CliCommand, defineCommand, parseCall, wrongCall } from '../command.ts';
import { readInput } from '../input.ts';
import type { Terminal, Waiting } from '../terminal.ts';
import type { Severity } from './candidate.ts';
import { FORMATS, type Format, readFindings } from './formats.ts';
import { dataOf, type Leak, sift } from './leaks.ts';
import { type Endpoint, endpointOf, send } from './send.ts';
import { notSent, type Reported, reportJson, reportText } from './text.ts';

const MAX_BYTES = 16 * 1024 * 1024;

const OPTIONS = {
  format: {
    type: 'string',
    value: '<format>',
    choices: FORMATS,
    does: 'what the input is, found out if not given',
  },
  where: { type: 'string', value: '<text>', does: 'where the input is from, such as "build log 17"' },
  severity: {
    type: 'string',
    value: '<severity>',
    choices: ['critical', 'high', 'medium', 'low', 'info'],
    does: 'instead of what the scanner says',
  },
  'dry-run': { type: 'boolean', does: 'say what would be sent, without the tokens, and send nothing' },
  'plain-http': { type: 'boolean', does: 'send over http, where the network itself is trusted' },
  'exit-zero': { type: 'boolean', does: 'exit with 0 also where leaks were found and reported' },
  json: { type: 'boolean', does: 'print JSON, as docs/cli.md describes it' },
} as const;

export const report: CliCommand = defineCommand({
  name: 'report',
  usage: [['report [options] < leak.txt', 'report the tokens in a text, or what a scanner found']],
  options: OPTIONS,
  about:
    'It reads text with tokens in it, SARIF, the JSON of gitleaks, the JSON lines of trufflehog, or a report as\n' +
    'docs/alert-sources.md describes it, up to 16 MiB. Each token is sent once, with every place where it was found, to the\n' +
    'signed endpoint: TOURNIQUET_URL is where the bot takes webhooks, and TOURNIQUET_SOURCE_REPORT (or\n' +
    'TOURNIQUET_SOURCE_REPORT_FILE) the secret that the bot has under the same name. It needs no other configuration.',
  exitCodes: '0 no leak was found; 1 leaks were found, and all were reported; 2 something was not reported.',
  run: (argv, terminal) => runReport(argv, terminal, { sleep: wait, now: Date.now }),
});

export async function runReport(argv: string[], terminal: Terminal, waiting: Waiting): Promise<number> {
  const { positionals, values } = parseCall(report, argv, OPTIONS);
  if (positionals.length > 0)
    throw wrongCall(report, 'The leak is read from standard input, and from nowhere else.\n');
  const dry = values['dry-run'] === true;
  const endpoint = dry ? undefined : endpointIn(terminal.env, values['plain-http'] === true);
  const text = await readInput(terminal, MAX_BYTES, 'the text with the token in it');
  const { format, candidates, data } = readFindings(
    text,
    values.format as Format | undefined,
    values.where ?? 'standard input',
  );
  const { leaks, ignored } = sift(candidates);
  if (data !== undefined) leaks.push({ what: { data }, title: 'A report', where: ['standard input'] });
  const severity = values.severity as Severity | undefined;
  const results = await sendAll(endpoint, leaks, severity, waiting);
  const reported: Reported = { format, ignored, results };
  terminal.stdout.write(
    values.json ? `${JSON.stringify(reportJson(reported), null, 2)}\n` : reportText(reported, severity),
  );
  if (notSent(reported) > 0) return 2;
  return results.length > 0 && !values['exit-zero'] ? 1 : 0;
}

function endpointIn(env: Terminal['env'], plainHttp: boolean): Endpoint {
  const problems: string[] = [];
  const secret = readSecret(env, 'TOURNIQUET_SOURCE_REPORT', problems);
  if (problems.length > 0) throw new AppError('bad-config', problems.join('\n'));
  return endpointOf(env.TOURNIQUET_URL, secret, plainHttp);
}

/** One after the other: the endpoint has other senders, and what one failure says may hold for the rest. */
async function sendAll(
  endpoint: Endpoint | undefined,
  leaks: readonly Leak[],
  severity: Severity | undefined,
  waiting: Waiting,
): Promise<Reported['results']> {
  const results: Reported['results'] = [];
  let over = false;
  for (const leak of leaks) {
    if (endpoint === undefined) results.push({ leak, sent: { kind: 'dry-run' } });
    else if (over) results.push({ leak, sent: { kind: 'unsent' } });
    else {
      const sent = await send(endpoint, dataOf(leak, severity), waiting);
      over = sent.kind === 'failed' && sent.everything;
      results.push({ leak, sent });
    }
  }
  return results;
}
