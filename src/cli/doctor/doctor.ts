// Looks at everything that Tourniquet stands on, before an incident does, and says for each trouble what to do.
import { existsSync } from 'node:fs';
import { type ConfigReading, type Role, readConfig } from '../../config/config.ts';
import type { Diagnosis, DiagnosisStatus } from '../../config/diagnosis.ts';
import { parseRedisUrl } from '../../config/redis-url.ts';
import { scrub } from '../../domain/token/leak-material.ts';
import { createLog } from '../../log.ts';
import { type CliCommand, defineCommand, parseCall, wrongCall } from '../command.ts';
import type { Terminal } from '../terminal.ts';
import type { Check, Given } from './check.ts';
import { checks } from './list.ts';
import { type Report, renderPeople } from './render.ts';

const POD_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

const OPTIONS = {
  role: {
    type: 'string',
    choices: ['bot', 'worker', 'all'],
    value: '<role>',
    does: 'whose side to look at; if not given, what the environment allows',
  },
  'act-in': {
    type: 'string',
    multiple: true,
    value: '<[cluster/]namespace>',
    does: 'the worker is meant to act here; may be given again; if not given, looked for',
  },
  strict: { type: 'boolean', does: 'let warnings fail, too' },
  json: { type: 'boolean', does: 'print JSON, as docs/doctor.md describes it' },
} as const;

export const doctor: CliCommand = defineCommand({
  name: 'doctor',
  usage: [['doctor [options]', 'check configuration, policy, Slack, Redis and clusters, and say what to do']],
  options: OPTIONS,
  about:
    'Reads the configuration of the bot or the worker. Changes nothing, but for a key in Redis that is gone\n' +
    'again after a second. Prints no secret.',
  exitCodes: '0 nothing is broken, 1 something is (with --strict: or is doubtful), 2 it could not be run.',
  run: (argv, terminal) => runDoctor(argv, terminal),
});

export interface DoctorOptions extends Pick<Terminal, 'env' | 'stdout'> {
  now?: () => number;
  list?: readonly Check[];
}

/**
 * `argv`: what follows "doctor". Answers the exit code: 0 nothing is broken, 1 something is (with --strict: or is
 * doubtful). Throws AppError `bad-input` for a wrong call.
 */
export async function runDoctor(
  argv: string[],
  { env, stdout, now = Date.now, list = checks }: DoctorOptions,
): Promise<number> {
  const { values, positionals } = parseCall(doctor, argv, OPTIONS);
  if (positionals.length > 0) throw wrongCall(doctor, `Not understood: ${positionals.join(' ')}\n`);
  // One of the choices, or the call would have been refused.
  const role = (values.role ?? guessRole(env)) as Role;
  const reading = readConfig(role, env);
  const given: Given = {
    role,
    reading,
    actIn: values['act-in'] ?? [],
    log: createLog({ level: 'silent' }),
    now,
  };
  const groups = await Promise.all(list.map((check) => examined(check, given)));
  const report = summed(role, groups.map(cleaner(reading)));
  stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : renderPeople(report));
  const bad = report.summary.broken + (values.strict ? report.summary.warning : 0);
  return bad > 0 ? 1 : 0;
}

/** As far as the environment shows it; a clone on somebody's own machine is both. */
function guessRole(env: Terminal['env']): Role {
  const { file } = readConfig('worker', env);
  const isBot = ['SLACK_BOT_TOKEN', 'SLACK_APP_TOKEN'].some((name) => env[name] || env[`${name}_FILE`]);
  const isWorker = (file.clusters ?? []).some(({ kubeconfig }) => existsSync(kubeconfig ?? POD_TOKEN));
  if (isBot === isWorker) return 'all';
  return isBot ? 'bot' : 'worker';
}

async function examined({ group, role, run }: Check, given: Given): Promise<Report['groups'][number]> {
  if (role !== undefined && given.role !== 'all' && given.role !== role)
    return { group, checks: [{ name: group, status: 'not-checked', seen: `It is the ${role}'s matter.` }] };
  try {
    return { group, checks: await run(given) };
  } catch (error) {
    // Unforeseen, so its own words may hold anything.
    const name = error instanceof Error ? error.name : 'error';
    const seen = `This could not be looked at to the end (${name}).`;
    return { group, checks: [{ name: group, status: 'broken', seen, remedy: REPORT_IT }] };
  }
}

const REPORT_IT = 'This is a mistake in Tourniquet: please report it, with the version and this line.';

function summed(role: Role, groups: Report['groups']): Report {
  const all: Diagnosis[] = groups.flatMap(({ checks: found }) => found);
  const count = (status: DiagnosisStatus) => all.filter((one) => one.status === status).length;
  const summary = {
    fine: count('fine'),
    warning: count('warning'),
    broken: count('broken'),
    notChecked: count('not-checked'),
  };
  return { version: 1, role, summary, groups };
}

/** What others say may quote what they were sent, so nothing leaves unread. */
function cleaner({ secrets }: ConfigReading): (group: Report['groups'][number]) => Report['groups'][number] {
  const { sourceSecrets, redisUrl, tracing, ...named } = secrets;
  const { password, sentinelPassword } = parseRedisUrl(redisUrl?.reveal() ?? '') ?? {};
  const values = [
    ...[redisUrl, tracing?.headers, ...Object.values(named), ...Object.values(sourceSecrets)].map((secret) =>
      secret?.reveal(),
    ),
    password,
    sentinelPassword,
  ].filter((value) => value !== undefined && value.length >= SHORTEST_HIDDEN);
  const clean = (text: string): string =>
    values.reduce<string>((left, value) => left.replaceAll(value ?? '', '[secret]'), scrub(text));
  return ({ group, checks: found }) => ({
    group,
    checks: found.map((one) => ({
      ...one,
      seen: clean(one.seen),
      ...(one.remedy !== undefined && { remedy: clean(one.remedy) }),
    })),
  });
}

/** Hiding every "ab" would make the rest unreadable and tell what is hidden. */
const SHORTEST_HIDDEN = 6;
