// Makes a second long-lived token for the same ServiceAccount in a Secret of a new name: under the old one the leaked token could come back.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import {
  type Action,
  defineAction,
  type Proposal,
  type StepTools,
  type StepView,
} from '../contracts/action.ts';
import type { Memory } from '../domain/incident/incident.ts';
import {
  SERVICE_ACCOUNT_NAME,
  SERVICE_ACCOUNT_UID,
  TOKEN_SECRET_TYPE,
} from '../domain/kubernetes/legacy-token-labels.ts';
import { MADE_BY, REPLACES } from '../domain/kubernetes/own-annotations.ts';
import { resources } from '../domain/kubernetes/resources.ts';
import { done, notDone, type Outcome, unknown, untouched } from '../domain/outcome.ts';
import { successorName } from '../domain/plan/successor.ts';
import { secretsAtStake, successorOf } from '../domain/situation/stake.ts';
import { isAppError } from '../errors.ts';
import type { KubernetesObject, ObjectRef } from '../ports/cluster.ts';
import { some, usersNow } from './deletion/users.ts';
import { trial } from './rehearsal/trial.ts';
import { acceptedBy, acceptedWithin } from './succession/acceptance.ts';

const paramsSchema = z.strictObject({
  namespace: z.string(),
  serviceAccount: z.string(),
  /** The Secret whose place is taken. */
  old: z.string(),
  name: z.string(),
});
type Params = z.infer<typeof paramsSchema>;

/** How long the controller is given to put a token into it. */
const TOKEN_WITHIN_MS = 30_000;
const LOOK_MS = 250;

const refTo = ({ namespace, name }: Params): ObjectRef => ({ resource: resources.secrets, namespace, name });

export const replaceTokenSecret: Action = defineAction<Params>({
  name: 'replace-token-secret',
  phase: 'replace',
  reversible: true,
  params: paramsSchema,
  permissions: [
    { scope: 'namespace', apiGroups: [''], resources: ['secrets'], verbs: ['get', 'create', 'delete'] },
  ],
  propose,
  rehearse: ({ cluster }, params) => {
    const { namespace, name } = params;
    const where = { resource: resources.secrets, namespace };
    const write = () => cluster.tryCreate(where, manifestOf(params));
    return trial({ path: `Secret ${namespace}/${name}`, write });
  },
  describe: (params, cluster) => {
    const { namespace, old, name } = params;
    const kubectl = `kubectl --context ${cluster} -n ${namespace}`;
    return {
      title: `Create token Secret ${namespace}/${name} beside ${old} on ${cluster}`,
      breaks: 'Nothing. It is one more long-lived token, until the old one is switched off.',
      kubectl: [`echo '${JSON.stringify(manifestOf(params))}' | ${kubectl} create -f -`],
      back: `Delete token Secret ${namespace}/${name} on ${cluster}`,
      gives: { namespace, serviceAccount: params.serviceAccount, secrets: [name] },
    };
  },
  execute,
  verify,
  undo,
});

function propose({ identity, situation, approach, today }: Proposal): Params[] {
  if (approach !== 'new-secret' || situation.liveness.alive === 'dead') return [];
  const { namespace, serviceAccount } = identity;
  const taken = situation.tokenSecrets.map(({ name }) => name);
  const without = secretsAtStake(identity, situation).filter((secret) => !successorOf(secret, situation));
  return without.map(({ name: old }) => ({
    namespace,
    serviceAccount: serviceAccount.name,
    old,
    name: successorName(old, today, taken),
  }));
}

const manifestOf = ({ serviceAccount, old, name }: Params, mark?: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: TOKEN_SECRET_TYPE,
  metadata: {
    name,
    annotations: {
      [SERVICE_ACCOUNT_NAME]: serviceAccount,
      [REPLACES]: old,
      ...(mark === undefined ? {} : { [MADE_BY]: mark }),
    },
  },
});

interface ReplacementMemory extends Memory {
  /** On the Secret that this step makes. */
  mark?: string;
}

const markIn = ({ memory }: StepView): string | undefined => (memory as ReplacementMemory).mark;

async function execute(tools: StepTools, params: Params): Promise<Outcome> {
  const { namespace } = params;
  // Before anything bears it: it tells what this step made from what somebody else did.
  const mark = markIn(tools) ?? randomUUID();
  await tools.remember({ mark } satisfies ReplacementMemory);
  const found = await tools.cluster.get(refTo(params), { metadataOnly: true });
  if (found !== null && !isFit(found, params)) return taken(params);
  if (found === null) {
    try {
      await tools.cluster.create({ resource: resources.secrets, namespace }, manifestOf(params, mark));
    } catch (error) {
      // Somebody was quicker, perhaps we: the look below tells.
      if (isAppError(error, 'denied')) return untouched(error.message);
      if (!isAppError(error, 'conflict')) throw error;
    }
  }
  for (const until = tools.now() + TOKEN_WITHIN_MS; tools.now() < until; await tools.sleep(LOOK_MS)) {
    const seen = await verify(tools, params);
    if (seen.verdict === 'done') return await tried(tools, params, seen);
  }
  return unknown(
    'The Secret is there, but no token was put into it yet: is the token controller of the cluster running?',
  );
}

/** Same type, same ServiceAccount, and made for this. */
const isFit = (
  { metadata: { annotations = {} } }: KubernetesObject,
  { old, serviceAccount }: Params,
): boolean => annotations[REPLACES] === old && annotations[SERVICE_ACCOUNT_NAME] === serviceAccount;

const taken = ({ namespace, name }: Params): Outcome =>
  notDone(`Another Secret is called ${namespace}/${name} already, and was not touched. Delete or rename it.`);

/** The controller writes the UID together with the token, so that the token itself need not be read to know. */
async function verify({ cluster }: StepView, params: Params): Promise<Outcome> {
  const found = await cluster.get(refTo(params), { metadataOnly: true });
  if (found === null) return notDone('The new Secret does not exist.');
  if (!isFit(found, params)) return taken(params);
  const { annotations = {}, uid } = found.metadata;
  if (annotations[SERVICE_ACCOUNT_UID] === undefined) return notDone('The new Secret has no token yet.');
  return done(`Secret ${params.namespace}/${params.name} has a token.`, { uid });
}

/** That the new one works must be seen before anything is moved to it. */
async function tried(tools: StepTools, params: Params, answer: Outcome): Promise<Outcome> {
  const { namespace, name: secret } = params;
  const seen = await acceptedWithin(tools, { namespace, secret }, TOKEN_WITHIN_MS);
  if (seen === undefined) return unknown('The new Secret or its token is gone again.');
  if (seen.refused > 0)
    return notDone('The new token is refused by an API server, so nothing was moved to it.');
  return { ...answer, detail: `${answer.detail} It is accepted by ${acceptedBy(seen)}.` };
}

async function undo(tools: StepTools, params: Params): Promise<Outcome> {
  const { cluster } = tools;
  const { namespace, name, old } = params;
  const found = await cluster.get(refTo(params), { metadataOnly: true });
  if (found === null) return done('The new Secret is gone.');
  if (!isOurs(tools, found, params))
    return done(
      `The Secret that is called ${namespace}/${name} now was made by somebody else, and is left as it is.`,
    );
  const users = await usersNow(tools, namespace, { serviceAccount: '', secrets: [name] });
  if (users.length > 0)
    return untouched(
      `Secret ${namespace}/${name} is used by ${some(users)}. It was not deleted. Bring them back to ${old} first, then try again.`,
    );
  try {
    await cluster.remove(refTo(params), { uid: found.metadata.uid });
  } catch (error) {
    if (!isAppError(error, 'not-found', 'conflict')) throw error;
  }
  return done('The new Secret is deleted.');
}

/** By the mark of this step; one that an older version made has none, and is known by its UID where it was made whole. */
function isOurs(tools: StepTools, found: KubernetesObject, params: Params): boolean {
  const mark = markIn(tools);
  const { uid, annotations } = found.metadata;
  if (mark !== undefined) return annotations?.[MADE_BY] === mark;
  return isFit(found, params) && (tools.facts?.uid ?? uid) === uid;
}
