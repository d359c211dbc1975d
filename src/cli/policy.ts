// Answers before anything happens: is this policy valid, and what would it ask for?
import { z } from 'zod';
import { actions } from '../actions/index.ts';
import { policyOf } from '../compose/policy.ts';
import { loadFileConfig, loadPolicyFile } from '../config/config.ts';
import type { FileConfig } from '../config/file-schema.ts';
import { policyDoubts } from '../domain/rules/doubts.ts';
import type { Facts } from '../domain/rules/match.ts';
import { type Deed, type Policy, requirementFor } from '../domain/rules/policy.ts';
import { policySchema } from '../domain/rules/schema.ts';
import { AppError } from '../errors.ts';
import { explain } from '../words/standing/rules.ts';
import { type CliCommand, defineCommand, parseCall, usageOf, wrongCall } from './command.ts';

const OPTIONS = {
  kind: { type: 'string', value: '<kind>', does: 'kind of the token; legacy if not given' },
  severity: { type: 'string', value: '<severity>', does: 'what the alert says; unknown if not given' },
  tier: {
    type: 'string',
    value: '<tier>',
    does: 'what a thief could do: severe, high, moderate, low or unknown',
  },
  label: {
    type: 'string',
    value: '<key=value>',
    multiple: true,
    does: 'a label of the ServiceAccount; may be given again',
  },
} as const;

export const policy: CliCommand = defineCommand({
  name: 'policy',
  usage: [
    ['policy check [policy file]', 'is the policy valid, and does it say what it can hardly mean?'],
    [
      'policy explain <source> <cluster>/<namespace>/<serviceaccount> <action> ' +
        '[--kind legacy] [--severity high] [--tier severe] [--label key=value]…',
      'what would it ask for?',
    ],
    ['policy schema', 'print its JSON Schema, for editors'],
  ],
  options: OPTIONS,
  exitCodes: '0 fine; 1 the policy is valid but doubtful; 2 it is wrong, or so is the call.',
  run: (argv, { env, stdout, stderr }) =>
    runPolicy(argv, { load: () => loadFileConfig(env), stdout, stderr }),
});

export interface PolicyOptions {
  /** The configuration, or a stand-in of it. */
  load?: () => FileConfig;
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
}

/** Where the phase depends on what is done, the first that the action names. */
export const deeds: Deed[] = actions.map(({ name, phase, reversible }) => ({
  action: name,
  phase: typeof phase === 'function' ? phase({}) : phase,
  reversible,
}));

/** `argv`: what follows "policy". Answers the exit code: 0 fine, 1 doubts, 2 wrong. */
export function runPolicy(argv: string[], { load = loadFileConfig, stdout, stderr }: PolicyOptions): number {
  try {
    const { positionals, values } = parseCall(policy, argv, OPTIONS);
    const [verb, ...rest] = positionals;
    if (verb === 'schema') return say(stdout, JSON.stringify(policyJsonSchema(), null, 2));
    if (verb === 'check' && rest.length <= 1) return check(load(), rest[0], stdout);
    if (verb === 'explain' && rest.length === 3)
      return say(stdout, explained(policyOf(load()), rest, values));
    throw wrongCall(policy);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    stderr.write(`${error.message}\n`);
    return 2;
  }
}

function say(stdout: PolicyOptions['stdout'], text: string): number {
  stdout.write(`${text}\n`);
  return 0;
}

/** For editors: what may be written in the section `policy`, or in the file that TOURNIQUET_POLICY names. */
export const policyJsonSchema = (): object => ({
  ...z.toJSONSchema(policySchema, { io: 'input' }),
  title: 'Tourniquet policy',
});

function check(config: FileConfig, file: string | undefined, stdout: PolicyOptions['stdout']): number {
  const read = policyOf(file === undefined ? config : { ...config, policy: loadPolicyFile(file) });
  const doubts = policyDoubts(read, { deeds, clusters: config.clusters.map(({ name }) => name) });
  const written = read.rules.length - 1;
  const lines = [
    `The policy is valid: ${written} ${written === 1 ? 'rule' : 'rules'} before the default, version ${read.version}.`,
    ...doubts.map((doubt) => `  - ${doubt}`),
  ];
  say(stdout, lines.join('\n'));
  return doubts.length > 0 ? 1 : 0;
}

type Values = ReturnType<typeof parseCall<typeof OPTIONS>>['values'];

function explained(by: Policy, [source = '', place = '', name = '']: string[], values: Values): string {
  const [cluster, namespace, serviceAccount, ...more] = place.split('/');
  if (!cluster || !namespace || !serviceAccount || more.length > 0)
    throw new AppError(
      'bad-input',
      `Write <cluster>/<namespace>/<serviceaccount>, not ${place}.\n${usageOf(policy)}`,
    );
  const deed = deeds.find(({ action }) => action === name);
  if (deed === undefined)
    throw new AppError(
      'bad-input',
      `There is no action ${name}. There are: ${deeds.map(({ action }) => action).join(', ')}.`,
    );
  const facts: Facts = {
    cluster,
    namespace,
    serviceAccount,
    source,
    tokenKind: (values.kind ?? 'legacy') as Facts['tokenKind'],
    severity: (values.severity ?? 'unknown') as Facts['severity'],
    tier: values.tier as Facts['tier'],
    labels: values.label && Object.fromEntries(values.label.map((label) => label.split('='))),
  };
  return explain(by, deed, facts, requirementFor(by, deed, facts));
}
