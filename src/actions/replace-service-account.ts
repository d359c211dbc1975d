// Makes a ServiceAccount that takes another's place: the same rights under a new name, beside the old, until that is deleted.
import { randomUUID } from 'node:crypto';
import {
  type Action,
  defineAction,
  type Proposal,
  type StepTools,
  type StepView,
} from '../contracts/action.ts';
import type { Memory } from '../domain/incident/incident.ts';
import { resources } from '../domain/kubernetes/resources.ts';
import { createCommand } from '../domain/kubernetes/shell.ts';
import { done, notDone, type Outcome, untouched } from '../domain/outcome.ts';
import { bindCommand, hasRights } from '../domain/plan/rights.ts';
import { manifestFor, successionOf } from '../domain/plan/succession.ts';
import { listWords, withList } from '../domain/situation/carried.ts';
import { isAppError } from '../errors.ts';
import type { KubernetesObject } from '../ports/cluster.ts';
import { some, usersNow } from './deletion/users.ts';
import { eachTrial, trial } from './rehearsal/trial.ts';
import { itemsOf, type Replacement, replacementSchema } from './succession/items.ts';
import { type ItemState, itemState, make, unmake } from './succession/made.ts';
import { accountIn, patiently } from './succession/token-secret.ts';

interface ReplacementMemory extends Memory {
  /** On everything that this step makes. */
  mark?: string;
}

export const replaceServiceAccount: Action = defineAction<Replacement>({
  name: 'replace-service-account',
  phase: 'replace',
  reversible: true,
  params: replacementSchema,
  permissions: [
    { scope: 'namespace', apiGroups: [''], resources: ['serviceaccounts'], verbs: ['create', 'delete'] },
    { scope: 'namespace', apiGroups: [''], resources: ['secrets'], verbs: ['list', 'create', 'delete'] },
    {
      scope: 'opt-in',
      apiGroups: ['rbac.authorization.k8s.io'],
      resources: ['rolebindings', 'clusterrolebindings'],
      verbs: ['create', 'delete'],
    },
    {
      scope: 'opt-in',
      apiGroups: ['rbac.authorization.k8s.io'],
      resources: ['roles', 'clusterroles'],
      verbs: ['bind'],
    },
  ],
  propose,
  rehearse: ({ cluster }, params) =>
    eachTrial(itemsOf(params), ({ path, ref: { name: _, ...where }, manifest }) =>
      trial({ path, write: () => cluster.tryCreate(where, manifest) }),
    ),
  describe,
  execute,
  verify,
  undo,
});

function propose({ identity, situation, approach, today }: Proposal): Replacement[] {
  const { serviceAccount, liveness } = situation;
  if (approach !== 'new-service-account' || serviceAccount === null || serviceAccount.deleting) return [];
  const succession = successionOf(identity, situation, today);
  if (succession === undefined || liveness.alive === 'dead' || !hasRights(situation)) return [];
  const { name, secrets, bindings } = succession;
  const newName = (old: string) => secrets.find(({ from }) => from === old)?.to ?? old;
  return [
    {
      namespace: identity.namespace,
      name,
      replaces: { name: serviceAccount.name, uid: serviceAccount.uid },
      manifest: manifestFor(withList(serviceAccount.manifest, situation.tokenSecrets, newName), name),
      secrets: secrets.map(({ from, to }) => ({ replaces: from, name: to })),
      bindings: bindings.map(({ from: { kind, namespace, name: replaces, role }, to }) => ({
        kind,
        ...(namespace === undefined ? {} : { namespace }),
        replaces,
        name: to,
        role,
      })),
    },
  ];
}

function describe(params: Replacement, cluster: string) {
  const { namespace, name, replaces, bindings, secrets } = params;
  const here = `kubectl --context ${cluster} -n ${namespace}`;
  const also = [count(bindings.length, 'binding'), count(secrets.length, 'token Secret')].filter(Boolean);
  return {
    title: `Create ServiceAccount ${namespace}/${name} in place of ${replaces.name} on ${cluster}${also.length > 0 ? `, with ${also.join(' and ')}` : ''}`,
    breaks: `Nothing: the old one stays as it is. Until it is deleted, both have these rights, and the leak stays live.${listWords(params.manifest)}`,
    kubectl: [
      ...itemsOf(params)
        .filter(({ fits }) => fits === undefined)
        .map(({ manifest }) => createCommand(here, manifest)),
      ...bindings.map((binding) => bindCommand(binding, binding.name, `${namespace}:${name}`, cluster)),
    ],
    back: `Delete ServiceAccount ${namespace}/${name} on ${cluster}, and what was made with it`,
    gives: { namespace, serviceAccount: name, secrets: secrets.map((secret) => secret.name) },
  };
}

const count = (n: number, noun: string): string => (n === 0 ? '' : `${n} ${noun}${n === 1 ? '' : 's'}`);

const markIn = ({ memory }: StepView): string | undefined => (memory as ReplacementMemory).mark;

async function execute(tools: StepTools, params: Replacement): Promise<Outcome> {
  const { cluster } = tools;
  const old = await cluster.get({
    resource: resources.serviceAccounts,
    namespace: params.namespace,
    name: params.replaces.name,
  });
  if (old?.metadata.uid !== params.replaces.uid)
    return notDone(
      `${params.replaces.name} is gone, or another has taken its name. Nothing was made for it.`,
    );
  // Before anything bears it: after a crash, it tells what this step made from what somebody else did.
  const mark = markIn(tools) ?? randomUUID();
  await tools.remember({ mark } satisfies ReplacementMemory);
  const items = itemsOf(params);
  let uid = '';
  for (const [index, item] of items.entries()) {
    const standing = await make(cluster, item, mark).catch(refusedWords);
    if (typeof standing === 'string') return notDone(`${standing} What was made before it is kept.`);
    if (standing.is === 'foreign') return taken(standing);
    uid ||= standing.uid ?? '';
    await tools.progress({ done: index + 1, total: items.length, line: `${item.path} is there.` });
  }
  const empty = await withoutToken(tools, params, uid);
  if (empty.length > 0)
    return notDone(`No token was put into ${empty.join(', ')} yet. Try again; what was made is kept.`);
  return done(`ServiceAccount ${params.namespace}/${params.name} exists with the same rights.`, { uid });
}

function refusedWords(error: unknown): string {
  if (!isAppError(error, 'denied')) throw error;
  return error.message;
}

const taken = ({ item }: ItemState): Outcome =>
  notDone(
    `${item.path} exists already and is somebody else's. It was not touched. Roll back, and ask for the plan again once it is gone.`,
  );

async function withoutToken(
  tools: StepTools,
  { namespace, secrets }: Replacement,
  uid: string,
): Promise<string[]> {
  const empty: string[] = [];
  for (const { name } of secrets) {
    const ref = { resource: resources.secrets, namespace, name };
    const filled = await patiently(tools, async () => {
      const found = await tools.cluster.get<KubernetesObject>(ref, { metadataOnly: true });
      return accountIn(found) === uid ? true : undefined;
    });
    if (!filled) empty.push(`Secret ${namespace}/${name}`);
  }
  return empty;
}

async function verify(look: StepView, params: Replacement): Promise<Outcome> {
  const mark = markIn(look);
  const standings = await Promise.all(itemsOf(params).map((item) => itemState(look.cluster, item, mark)));
  const wrong = standings.filter(({ is }) => is === 'absent' || is === 'foreign');
  const [account] = standings;
  if (wrong.length > 0) return notDone(`Missing: ${wrong.map(({ item }) => item.path).join(', ')}.`);
  const tokens = standings.filter(({ item }) => item.ref.resource === resources.secrets);
  const empty = tokens.filter(({ object }) => accountIn(object) !== account?.uid);
  if (empty.length > 0) return notDone(`Without a token: ${empty.map(({ item }) => item.path).join(', ')}.`);
  return done(`ServiceAccount ${params.namespace}/${params.name} exists with the same rights.`, {
    uid: account?.uid ?? '',
  });
}

/** Newest first, so that the ServiceAccount goes last and nothing is left that names nobody. */
async function undo(tools: StepTools, params: Replacement): Promise<Outcome> {
  const { cluster } = tools;
  const { namespace, name } = params;
  const stake = { serviceAccount: name, secrets: params.secrets.map((secret) => secret.name) };
  const users = await usersNow(tools, namespace, stake);
  if (users.length > 0)
    return untouched(
      `ServiceAccount ${namespace}/${name} or a token Secret of it is used by ${some(users)}. Nothing was deleted. Bring them back to ${params.replaces.name} first, then try again.`,
    );
  const gone: string[] = [];
  for (const item of itemsOf(params).toReversed())
    if (await unmake(cluster, item, markIn(tools))) gone.push(item.path);
  return done(gone.length > 0 ? `Deleted: ${gone.join(', ')}.` : 'There was nothing left to delete.');
}
