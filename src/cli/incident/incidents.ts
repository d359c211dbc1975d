// What is going on, for whoever has a terminal and no Slack: the newest incidents, how they stand, and whom they wait for.
import { policyOf } from '../../compose/policy.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import type { Policy } from '../../domain/rules/policy.ts';
import { waitsFor } from '../../words/standing/waits-for.ts';
import { type CliCommand, defineCommand, parseCall, wrongCall } from '../command.ts';
import { printable } from '../input.ts';
import { withTrail } from '../trail.ts';
import { newest } from './find.ts';
import { age, incidentJson, standing } from './standing.ts';

const OPTIONS = {
  open: { type: 'boolean', does: 'only those that are not closed' },
  limit: { type: 'string', value: '<number>', does: 'how many at most, 20 if not given' },
  json: { type: 'boolean', does: 'print JSON, as docs/cli.md describes it' },
} as const;

export const incidents: CliCommand = defineCommand({
  name: 'incidents',
  usage: [
    ['incidents [--open] [--limit <number>] [--json]', 'list the newest incidents and whom they wait for'],
  ],
  options: OPTIONS,
  about:
    'It reads the incident log in Redis, with the configuration and the environment of the worker. It changes nothing.',
  exitCodes:
    '0 listed, also where there are none; 1 the log of some incident is damaged; 2 it could not be answered.',
  async run(argv, { env, stdout }) {
    const { values, positionals } = parseCall(incidents, argv, OPTIONS);
    const limit = Number(values.limit ?? 20);
    if (positionals.length > 0)
      throw wrongCall(incidents, 'For one incident: tourniquet status <incident>\n');
    if (!Number.isInteger(limit) || limit < 1)
      throw wrongCall(incidents, '--limit: write a number from 1 on.\n');
    return await withTrail(env, async ({ config, trail }) => {
      const policy = policyOf(config);
      const wanted = ({ closed }: Incident): boolean => !values.open || closed === undefined;
      const { found, damaged } = await newest(trail(), limit, wanted);
      const now = Date.now();
      const json = { version: 1, incidents: found.map((one) => incidentJson(one, policy, now)), damaged };
      const lines = [...found.flatMap((one) => row(one, policy, now)), ...damaged.map(damage)];
      const nothing = values.open ? 'No incident is open.' : 'There are no incidents.';
      stdout.write(values.json ? `${JSON.stringify(json, null, 2)}\n` : `${lines.join('\n') || nothing}\n`);
      return damaged.length > 0 ? 1 : 0;
    });
  },
});

function row(incident: Incident, policy: Policy, now: number): string[] {
  const { id, openedAt, identity, closed } = incident;
  const waits = closed ? [] : [`waits for ${waitsFor(incident, policy)}`];
  const about = [
    `opened ${age(openedAt, now)} ago`,
    ...(identity ? [`${identity.kind} token`] : []),
    ...waits,
  ];
  return [`${id}  ${standing(incident, now)}`, `${' '.repeat(id.length)}  ${printable(about.join(', '))}`];
}

const damage = (id: string): string =>
  `${id}  The log of this incident is damaged. See: tourniquet audit verify ${id}`;
