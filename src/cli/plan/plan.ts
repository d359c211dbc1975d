// For when Slack, Redis or the bot is down: what leaked, what it can do, and what to type, from a kubeconfig alone.
import { createHmac, randomBytes } from 'node:crypto';
import { actions } from '../../actions/index.ts';
import { type ConnectedCluster, connectCluster } from '../../adapters/kubernetes/cluster.ts';
import { isNamespaceName, isObjectName } from '../../domain/kubernetes/names.ts';
import { type Goal, STRATEGIES, type Strategy } from '../../domain/plan/goal.ts';
import { DEFAULT_PACE } from '../../domain/plan/waves.ts';
import type { Coordinates } from '../../domain/token/identity.ts';
import { findTokens } from '../../domain/token/leak-material.ts';
import { locate } from '../../engine/look/by-coordinates.ts';
import { identifyToken } from '../../engine/look/by-token.ts';
import type { Search } from '../../engine/look/copies.ts';
import type { Identified } from '../../engine/look/identified.ts';
import { lookAround } from '../../engine/look/look-around.ts';
import { AppError, isAppError } from '../../errors.ts';
import { Secret } from '../../secret.ts';
import { type CliCommand, defineCommand, parseCall, wrongCall } from '../command.ts';
import { readInput } from '../input.ts';
import type { Terminal } from '../terminal.ts';
import type { Answer } from './answer.ts';
import { planJson } from './json.ts';
import { type Place, placesFor, typedFor } from './places.ts';
import { planText } from './text.ts';

const MAX_BYTES = 1024 * 1024;

const OPTIONS = {
  kubeconfig: { type: 'string', value: '<file>', does: 'instead of KUBECONFIG and ~/.kube/config' },
  context: {
    type: 'string',
    value: '<name>',
    does: 'a context of the kubeconfig; the current one if not given',
  },
  'all-contexts': { type: 'boolean', does: 'look at every context of the kubeconfig' },
  secret: { type: 'boolean', does: 'the name is of a token Secret, not of a ServiceAccount' },
  goal: {
    type: 'string',
    choices: ['revoke', 'rotate', 'restart'],
    value: '<goal>',
    does: 'what is wanted, revoke if not given',
  },
  strategy: {
    type: 'string',
    choices: STRATEGIES,
    value: '<strategy>',
    does: 'how to rotate, the best one if not given',
  },
  all: { type: 'boolean', does: 'replace Pods too that nobody would start again' },
  search: {
    type: 'string',
    multiple: true,
    value: '<namespace>',
    does: 'look for copies in the Secrets of this namespace; may be given again',
  },
  json: { type: 'boolean', does: 'print JSON, as docs/cli.md describes it' },
} as const;

export const plan: CliCommand = defineCommand({
  name: 'plan',
  usage: [
    ['plan [options] < token', 'say whose token that is, what it can do, and what to type to kill it'],
    ['plan [options] [context/]namespace/name', 'the same for every token of a ServiceAccount'],
  ],
  options: OPTIONS,
  about:
    'It needs a kubeconfig and nothing else: no Slack, no Redis, no bot. It only reads. The token is read from standard\n' +
    'input (alone, or within a kubeconfig, a manifest or other text), its signature is checked here against the keys of\n' +
    'each cluster, and it is sent to none. The user of the kubeconfig should be able to read what the worker may read\n' +
    '(docs/worker-rbac.yaml); what it cannot read is said. If tourniquet.yaml is there, its clusters are looked at, unless\n' +
    'an option names a kubeconfig or a context.',
  exitCodes:
    '0 there is a plan, or nothing to do; 1 nobody could say whose token it is; 2 it could not be answered.',
  run: runPlan,
});

type Values = ReturnType<typeof parseCall<typeof OPTIONS>>['values'];
type Target = { token: Secret } | { at: Coordinates };

async function runPlan(argv: string[], terminal: Terminal): Promise<number> {
  const { positionals, values } = parseCall(plan, argv, OPTIONS);
  const goal = goalOf(values);
  const target = positionals.length > 0 ? targetOf(positionals, values) : await targetIn(terminal);
  const { kubeconfig, context, 'all-contexts': all = false } = values;
  const prefix = 'at' in target ? target.at.cluster : undefined;
  const places = placesFor({ kubeconfig, context, prefix, all }, terminal.env);
  const { clusters, problems } = connectAll(places);
  try {
    const answer = asTyped(
      await answerFor(clusters, { target, goal, searched: values.search ?? [] }, problems),
      places,
    );
    terminal.stdout.write(values.json ? `${JSON.stringify(planJson(answer), null, 2)}\n` : planText(answer));
    return 'unidentified' in answer ? 1 : 0;
  } finally {
    await Promise.all([...clusters.values()].map((cluster) => cluster.close()));
  }
}

function goalOf({ goal = 'revoke', strategy, all }: Values): Goal {
  if (strategy !== undefined && goal !== 'rotate')
    throw wrongCall(plan, '--strategy is for --goal rotate.\n');
  if (all && goal === 'revoke') throw wrongCall(plan, '--all is for --goal rotate and --goal restart.\n');
  const consent = all ? { consent: true as const } : {};
  if (goal === 'restart') return { do: 'restart', ...consent };
  if (goal !== 'rotate') return { do: 'revoke' };
  return { do: 'rotate', ...(strategy === undefined ? {} : { strategy: strategy as Strategy }), ...consent };
}

/** From the right: the names of contexts may have slashes in them. */
function targetOf([text = '', ...more]: string[], { secret }: Values): Target {
  const parts = text.split('/');
  const [namespace = '', name = ''] = parts.slice(-2);
  const cluster = parts.slice(0, -2).join('/');
  if (more.length > 0 || parts.length < 2 || !isNamespaceName(namespace) || !isObjectName(name))
    throw wrongCall(
      plan,
      'Name one ServiceAccount as namespace/name, or with its context as context/namespace/name.\n',
    );
  const what = secret ? { secret: name } : { serviceAccount: name };
  return { at: { ...(cluster === '' ? {} : { cluster }), namespace, ...what } };
}

async function targetIn(terminal: Terminal): Promise<Target> {
  const { tokens, coordinates, problems } = findTokens(await readInput(terminal, MAX_BYTES, 'the token'));
  const [token, another] = tokens;
  if (another !== undefined)
    throw new AppError(
      'bad-input',
      `The input holds ${tokens.length} tokens. Give one at a time, or report all of them with: tourniquet report`,
    );
  if (token !== undefined) return { token: new Secret(token) };
  if (coordinates[0]) return { at: coordinates[0] };
  const why = problems.length > 0 ? problems.join(' ') : 'There is no ServiceAccount token in the input.';
  throw new AppError('bad-input', `${why} Nothing was looked at.`);
}

/** One kubeconfig entry that cannot be used must not keep the others from being asked. */
function connectAll(places: readonly Place[]) {
  const clusters = new Map<string, ConnectedCluster>();
  const failed: AppError[] = [];
  for (const { config } of places)
    try {
      clusters.set(config.name, connectCluster(config));
    } catch (error) {
      if (!isAppError(error)) throw error;
      failed.push(error);
    }
  if (clusters.size === 0) throw failed[0] ?? new AppError('bad-config', 'There is no cluster to look at.');
  return { clusters, problems: failed.map(({ message }) => `${message} It was not looked at.`) };
}

async function answerFor(
  clusters: ReadonlyMap<string, ConnectedCluster>,
  { target, goal, searched }: { target: Target; goal: Goal; searched: string[] },
  problems: string[],
): Promise<Answer> {
  const found: Identified =
    'token' in target ? await identifyToken(clusters, target.token) : await locate(clusters, target.at);
  if ('unidentified' in found) return { ...found, problems };
  const { identity } = found;
  const clock = { now: () => Date.now() };
  const lookout = {
    clusters,
    actions,
    clock,
    pace: DEFAULT_PACE,
    searchOn: () => searchFor(target, searched),
  };
  const seen = await lookAround(lookout, goal, identity);
  return { goal, identity, ...seen, problems };
}

/** Values are compared within this process alone, so any key will do. */
function searchFor(target: Target, namespaces: string[]): Search {
  const key = randomBytes(32);
  const fingerprint = (token: Secret) => createHmac('sha256', key).update(token.reveal()).digest('hex');
  return { namespaces, fingerprint, ...('token' in target ? { leaked: fingerprint(target.token) } : {}) };
}

/** With commands that reach each cluster as this person's kubectl does. */
function asTyped(answer: Answer, places: readonly Place[]): Answer {
  if ('unidentified' in answer) return answer;
  const typed = (lines: readonly string[]): string[] => lines.map((line) => typedFor(line, places));
  const steps = answer.plan.steps.map((step) => ({ ...step, kubectl: typed(step.kubectl) }));
  return { ...answer, plan: { ...answer.plan, steps, notes: typed(answer.plan.notes) } };
}
