// What was typed after `tourniquet collect`, read and bounded.
import { duration, inWords } from '../../domain/duration.ts';
import { AppError } from '../../errors.ts';
import { type CliCommand, parseCall, wrongCall } from '../command.ts';

export interface CollectCall {
  /** This, or a ServiceAccount. */
  incident?: string | undefined;
  serviceAccount?: string | undefined;
  /** For whom: names the Secret that the token dies with. */
  user: string;
  /** Undefined: to the standard output. */
  out?: string | undefined;
  cluster?: string | undefined;
  kubeconfig?: string | undefined;
  context?: string | undefined;
  seconds: number;
  audiences: string[];
  asKubeconfig: boolean;
}

export const COLLECT_OPTIONS = {
  for: {
    type: 'string',
    value: '<user>',
    does: 'who gets the token, such as github-actions; names its Secret',
  },
  out: { type: 'string', value: '<file>', does: 'a new file for the token, which only you can read' },
  stdout: { type: 'boolean', does: 'print the token instead' },
  'as-kubeconfig': { type: 'boolean', does: 'write a whole kubeconfig instead of the token alone' },
  duration: { type: 'string', value: '<duration>', does: 'how long it lives, 10m to 90d; 24h if not given' },
  audience: {
    type: 'string',
    multiple: true,
    value: '<audience>',
    does: 'who is to accept it, instead of the API server; may be given again',
  },
  'service-account': {
    type: 'string',
    value: '<context/namespace/name>',
    does: 'of this ServiceAccount, instead of by an incident',
  },
  cluster: { type: 'string', value: '<name>', does: 'which one, where an incident is about several' },
  kubeconfig: { type: 'string', value: '<file>', does: 'instead of KUBECONFIG and ~/.kube/config' },
  context: { type: 'string', value: '<name>', does: 'where it is not called as the cluster' },
} as const;

/** The shortest that Kubernetes grants. */
const SHORTEST = 600_000;
/** What lives longer is a long-lived token again. */
const LONGEST = 90 * 86_400_000;

/** Throws AppError `bad-input`. */
export function readCollectCall(command: CliCommand, argv: string[]): CollectCall {
  const { positionals, values } = parseCall(command, argv, COLLECT_OPTIONS);
  const [incident, ...more] = positionals;
  const { out, cluster, kubeconfig, context, audience = [], duration: lives = '24h' } = values;
  const serviceAccount = values['service-account'];
  const problems = [
    (more.length > 0 || (incident === undefined) === (serviceAccount === undefined)) &&
      'Name one incident, or a ServiceAccount by --service-account.',
    values.for === undefined && 'Say by --for who gets the token, such as --for github-actions.',
    (out === undefined) === (values.stdout !== true) &&
      'Name a file by --out, or say --stdout to have the token printed.',
  ].filter((problem) => problem !== false);
  if (problems.length > 0) throw wrongCall(command, `${problems.join('\n')}\n`);
  return {
    incident,
    serviceAccount,
    user: values.for ?? '',
    out,
    cluster,
    kubeconfig,
    context,
    seconds: secondsIn(lives),
    audiences: audience,
    asKubeconfig: values['as-kubeconfig'] === true,
  };
}

function secondsIn(written: string): number {
  const read = duration.safeParse(written);
  if (!read.success || read.data < SHORTEST || read.data > LONGEST)
    throw new AppError(
      'bad-input',
      `--duration ${written}: write a number and a unit, from ${inWords(SHORTEST)} to ${inWords(LONGEST)}, such as 12h or 30d. Nothing was made.`,
    );
  return Math.floor(read.data / 1000);
}
