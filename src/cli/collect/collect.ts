// Gives somebody a new token for a user outside the cluster, by their own rights: it goes into a file of theirs, and nowhere else.
import type { HandOver } from '../../domain/afterwards/hand-over.ts';
import { anchorName, handOvers } from '../../domain/afterwards/hand-over.ts';
import { isNamespaceName, isObjectName } from '../../domain/kubernetes/names.ts';
import { change, openSession } from '../../engine/ground/session.ts';
import { AppError } from '../../errors.ts';
import { type CliCommand, defineCommand, wrongCall } from '../command.ts';
import { fullId } from '../incident/find.ts';
import { placesFor } from '../plan/places.ts';
import type { Terminal } from '../terminal.ts';
import { type Trail, withTrail } from '../trail.ts';
import { COLLECT_OPTIONS, type CollectCall, readCollectCall } from './call.ts';
import { type HandOut, handOut } from './hand-out.ts';
import { openOutlet } from './outlet.ts';

export const collect: CliCommand = defineCommand({
  name: 'collect',
  usage: [
    [
      'collect <incident> --for <user> --out <file>',
      'take a new token of what replaced a leaked one, for a user outside the cluster',
    ],
    [
      'collect --service-account <context>/<namespace>/<name> --for <user> --out <file>',
      'the same without an incident, and without Redis',
    ],
  ],
  options: COLLECT_OPTIONS,
  about:
    'It makes an empty Secret and a token that is bound to it, by your own kubeconfig and rights: deleting the Secret kills\n' +
    'the token. By the incident, who collected it is written into the log, for which it needs Redis and the configuration\n' +
    'and environment of the worker.',
  exitCodes: '0 the token is where it should be; 2 there is none.',
  run: runCollect,
});

async function runCollect(argv: string[], terminal: Terminal): Promise<number> {
  const call = readCollectCall(collect, argv);
  // Before anything is made: a file that cannot be written would leave a token that nobody has.
  const outlet = openOutlet(call.out, terminal.handover ?? terminal.stdout);
  try {
    if (call.incident === undefined) await withoutIncident(call, terminal, outlet);
    else await ofIncident(call, call.incident, terminal, outlet);
    return 0;
  } catch (error) {
    outlet.discard();
    throw error;
  }
}

type Outlet = ReturnType<typeof openOutlet>;

async function withoutIncident(call: CollectCall, { env, stderr }: Terminal, outlet: Outlet): Promise<void> {
  const [name = '', namespace = '', ...context] = (call.serviceAccount ?? '').split('/').reverse();
  const cluster = context.reverse().join('/');
  if (cluster === '' || !isNamespaceName(namespace) || !isObjectName(name))
    throw wrongCall(collect, 'Write --service-account <context>/<namespace>/<name>.\n');
  const of = { cluster, namespace, serviceAccount: name };
  await handOut(wanted(call, of, env), { outlet, stderr });
}

async function ofIncident(
  call: CollectCall,
  beginning: string,
  { env, stderr }: Terminal,
  outlet: Outlet,
): Promise<void> {
  await withTrail(env, async ({ trail }) => {
    const log: Trail = trail();
    const deps = { log, clock: { now: Date.now } };
    const id = await fullId(log, beginning);
    const session = await openSession(deps, id);
    if (session === undefined) throw new AppError('not-found', `There is no incident ${id}.`);
    const of = chosen(handOvers(session.incident), call.cluster, id);
    const note: HandOut['note'] = async (collected) => {
      await change(deps, session, () => [{ type: 'collected', collected }]);
    };
    await handOut({ ...wanted(call, of, env), note }, { outlet, stderr });
  });
}

function chosen(found: readonly HandOver[], cluster: string | undefined, id: string): HandOver {
  const fits = found.filter((one) => cluster === undefined || one.cluster === cluster);
  const [one, another] = fits;
  if (one !== undefined && another === undefined) return one;
  const places = found.map((of) => `${of.cluster}/${of.namespace}/${of.serviceAccount}`).join(', ');
  if (found.length === 0)
    throw new AppError(
      'not-found',
      `Incident ${id} has put nothing in the place of what leaked, or not yet, so there is nothing to collect. Nothing was made. A token of another ServiceAccount: tourniquet collect --service-account <context>/<namespace>/<name>`,
    );
  throw new AppError('bad-input', `Say which by --cluster: there are ${places}. Nothing was made.`);
}

function wanted(
  call: CollectCall,
  { cluster, namespace, serviceAccount }: Omit<HandOver, 'secrets'>,
  env: Terminal['env'],
): HandOut {
  const anchor = anchorName({ serviceAccount }, call.user);
  if (!isObjectName(anchor))
    throw new AppError(
      'bad-input',
      `--for ${call.user}: the Secret ${anchor} cannot be named so. Use lower-case letters, digits and dashes.`,
    );
  const { user, seconds, audiences, asKubeconfig, kubeconfig, context = cluster } = call;
  const [place] = placesFor({ kubeconfig, context, all: false }, env);
  if (place === undefined)
    throw new AppError('bad-config', 'There is no kubeconfig. Name one by --kubeconfig.');
  return {
    of: { cluster, namespace, serviceAccount },
    anchor,
    user,
    seconds,
    audiences,
    asKubeconfig,
    place,
  };
}
