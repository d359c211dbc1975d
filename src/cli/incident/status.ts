// One incident for a terminal or a pipeline: how it stands, what was done and seen, and, if asked, not before it is over.
import { setTimeout as wait } from 'node:timers/promises';
import { policyOf } from '../../compose/policy.ts';
import { duration } from '../../domain/duration.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import type { Policy } from '../../domain/rules/policy.ts';
import { isAppError } from '../../errors.ts';
import { waitsFor } from '../../words/standing/waits-for.ts';
import { type CliCommand, defineCommand, parseCall, wrongCall } from '../command.ts';
import { printable } from '../input.ts';
import type { Terminal, Waiting } from '../terminal.ts';
import { type Trail, withTrail } from '../trail.ts';
import { fullId, loadIncident } from './find.ts';
import { followUps, steps, summary } from './report.ts';
import { incidentJson, isOver, isProvenDead, lastEvidence, standing } from './standing.ts';

const LOOK_EVERY_MS = 2000;

const OPTIONS = {
  wait: {
    type: 'boolean',
    does: 'answer when the token is proven dead or the incident is closed, or when time is up',
  },
  timeout: {
    type: 'string',
    value: '<duration>',
    does: 'how long to wait, such as 90s or 1h; 10m if not given',
  },
  json: { type: 'boolean', does: 'print JSON, as docs/cli.md describes it' },
} as const;

export const status: CliCommand = defineCommand({
  name: 'status',
  usage: [
    ['status <incident> [--json]', 'say how an incident stands; the beginning of its id is enough'],
    ['status <incident> --wait [--timeout 10m]', 'the same, once the token is proven dead'],
  ],
  options: OPTIONS,
  about:
    'It reads the incident log in Redis, with the configuration and the environment of the worker. It changes nothing.',
  exitCodes:
    '0 answered; with --wait: proven dead, resolved or a false alarm; 1 with --wait: not so, or not in time; 2 no such incident, or it could not be answered.',
  run: (argv, terminal) => runStatus(argv, terminal, { sleep: wait, now: Date.now }),
});

export async function runStatus(argv: string[], terminal: Terminal, waiting: Waiting): Promise<number> {
  const { positionals, values } = parseCall(status, argv, OPTIONS);
  const [id, ...more] = positionals;
  if (id === undefined || more.length > 0) throw wrongCall(status, 'Name one incident.\n');
  const timeout = duration.safeParse(values.timeout ?? '10m');
  if (!timeout.success || (values.timeout !== undefined && !values.wait))
    throw wrongCall(status, '--timeout: write a number and a unit, such as 90s, together with --wait.\n');
  return await withTrail(terminal.env, async ({ config, trail }) => {
    const policy = policyOf(config);
    const log = trail();
    const full = await fullId(log, id);
    const until = waiting.now() + (values.wait ? timeout.data : 0);
    const incident = await lookUntil(log, full, until, terminal, waiting);
    const now = waiting.now();
    const json = { version: 1, ...incidentJson(incident, policy, now) };
    terminal.stdout.write(
      values.json ? `${JSON.stringify(json, null, 2)}\n` : statusText(incident, policy, now),
    );
    return values.wait && !isOver(incident, now) ? 1 : 0;
  });
}

/** Looks again until it is over or closed, or time is up. What changes meanwhile is told on stderr. */
async function lookUntil(
  log: Trail,
  id: string,
  until: number,
  { stderr }: Terminal,
  { sleep, now }: Waiting,
): Promise<Incident> {
  let told = '';
  for (;;) {
    const incident = await loadIncident(log, id).catch((error: unknown) => {
      // An outage of Redis is waited out, as everything else is.
      if (!isAppError(error, 'store-unavailable') || now() >= until) throw error;
      return undefined;
    });
    if (incident && (isOver(incident, now()) || incident.closed || now() >= until)) return incident;
    const line = incident ? standing(incident, now()) : 'Redis does not answer; asking again.';
    if (line !== told) stderr.write(`${line}\n`);
    told = line;
    await sleep(LOOK_EVERY_MS);
  }
}

function statusText(incident: Incident, policy: Policy, now: number): string {
  const evidence = lastEvidence(incident);
  const parts: [string, string[]][] = [
    [`Incident ${incident.id}: ${standing(incident, now)}`, summary(incident)],
    ['Waits for', [`- ${waitsFor(incident, policy)}`]],
    [
      `Proven dead: ${isProvenDead(incident, now) ? 'yes' : 'no'}`,
      evidence
        ? [`- Last evidence, ${evidence.at}: ${evidence.verdict}. ${evidence.detail}`]
        : ['- No evidence yet.'],
    ],
    ['What was done', steps(incident)],
    ['Still open', followUps(incident)],
  ];
  return `${parts.map(([title, lines]) => [title, ...lines.filter((line) => line !== '').map(printable)].join('\n')).join('\n\n')}\n`;
}
