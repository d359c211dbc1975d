// Makes the token Secrets that workloads use, or that its list names, again after their ServiceAccount was re-created: its new UID makes other tokens of them.
import { z } from 'zod';
import {
  type Action,
  defineAction,
  type Proposal,
  type StepTools,
  type StepView,
} from '../contracts/action.ts';
import { SERVICE_ACCOUNT_NAME, TOKEN_SECRET_TYPE } from '../domain/kubernetes/legacy-token-labels.ts';
import { resources } from '../domain/kubernetes/resources.ts';
import { createCommand } from '../domain/kubernetes/shell.ts';
import { done, notDone, type Outcome } from '../domain/outcome.ts';
import { tokenSecretsToCarry } from '../domain/situation/carried.ts';
import { isAppError } from '../errors.ts';
import type { KubernetesObject } from '../ports/cluster.ts';
import { eachTrial, trial } from './rehearsal/trial.ts';
import { recreated } from './succession/recreation.ts';
import { accountIn, patiently, tokenSecretRef } from './succession/token-secret.ts';

const strings = z.record(z.string(), z.string());

const secretSchema = z.strictObject({
  name: z.string(),
  /** Of the Secret with the old token. */
  uid: z.string(),
  labels: strings.exactOptional(),
  annotations: strings.exactOptional(),
});
const paramsSchema = z.strictObject({
  namespace: z.string(),
  serviceAccount: z.string(),
  /** UID of the ServiceAccount as it was: under that one, the same name could bring the leaked token back. */
  uid: z.string(),
  secrets: z.array(secretSchema),
});
type Params = z.infer<typeof paramsSchema>;
type TokenSecret = z.infer<typeof secretSchema>;

export const recreateTokenSecrets: Action = defineAction<Params>({
  name: 'recreate-token-secrets',
  phase: 'recover',
  reversible: false,
  params: paramsSchema,
  permissions: [
    { scope: 'namespace', apiGroups: [''], resources: ['secrets'], verbs: ['get', 'create', 'delete'] },
  ],
  propose,
  rehearse: ({ cluster }, params) =>
    eachTrial(params.secrets, (secret) => {
      const where = { resource: resources.secrets, namespace: params.namespace };
      const write = () => cluster.tryCreate(where, manifest(params, secret));
      return trial({ path: `Secret ${params.namespace}/${secret.name}`, write }, 'goes-first');
    }),
  describe: (params, cluster) => {
    const kubectl = `kubectl --context ${cluster} -n ${params.namespace}`;
    const names = params.secrets.map(({ name }) => name);
    return {
      title: `Create the token Secrets of ${params.namespace}/${params.serviceAccount} again on ${cluster}: ${names.join(', ')}`,
      breaks:
        'Nothing: they went with the old ServiceAccount. Each gets another token under the old name; other keys that were in it are lost.',
      kubectl: params.secrets.map((secret) => createCommand(kubectl, manifest(params, secret))),
      gives: { namespace: params.namespace, serviceAccount: params.serviceAccount, secrets: names },
    };
  },
  execute,
  verify,
});

function propose(proposal: Proposal): Params[] {
  const existing = recreated(proposal);
  const carried = tokenSecretsToCarry(proposal.situation.tokenSecrets);
  if (existing === undefined || carried.length === 0) return [];
  return [
    {
      namespace: proposal.identity.namespace,
      serviceAccount: existing.name,
      uid: existing.uid,
      secrets: carried.map(({ name, uid, labels, annotations }) => ({
        name,
        uid,
        ...(labels ? { labels } : {}),
        ...(annotations ? { annotations } : {}),
      })),
    },
  ];
}

const manifest = ({ serviceAccount }: Params, { name, labels, annotations }: TokenSecret) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: TOKEN_SECRET_TYPE,
  metadata: {
    name,
    ...(labels ? { labels } : {}),
    annotations: { ...annotations, [SERVICE_ACCOUNT_NAME]: serviceAccount },
  },
});

async function execute(tools: StepTools, params: Params): Promise<Outcome> {
  const { namespace, serviceAccount, uid } = params;
  const ref = { resource: resources.serviceAccounts, namespace, name: serviceAccount };
  const account = await tools.cluster.get(ref, { metadataOnly: true });
  if (account === null || account.metadata.uid === uid)
    return notDone(
      `ServiceAccount ${namespace}/${serviceAccount} has no new UID yet, and a Secret of the old name could bring the leaked token back. Nothing was made.`,
    );
  const failed: string[] = [];
  for (const secret of params.secrets) {
    // One that is refused takes nothing from the others.
    const made = await patiently(tools, () => replaced(tools, params, secret));
    if (made === undefined)
      failed.push(`Secret ${namespace}/${secret.name} of the old ServiceAccount does not go away.`);
    else if (made !== true) failed.push(made);
  }
  if (failed.length > 0) return notDone(failed.join(' '));
  const ready = await patiently(tools, async () => {
    const now = await verify(tools, params);
    return now.verdict === 'done' ? now : undefined;
  });
  return ready ?? (await verify(tools, params));
}

/**
 * Undefined: the old one is still there, or there is no room for the new one yet; a text: why there will be none. The old
 * one is removed here, instead of waiting for the controller that would.
 */
async function replaced(
  { cluster }: StepTools,
  params: Params,
  secret: TokenSecret,
): Promise<true | string | undefined> {
  const ref = tokenSecretRef(params.namespace, secret.name);
  const found = await cluster.get(ref, { metadataOnly: true });
  try {
    if (found === null) {
      await cluster.create({ resource: ref.resource, namespace: params.namespace }, manifest(params, secret));
      return true;
    }
    // Whoever made it meanwhile has done the same.
    if (found.metadata.uid !== secret.uid) return true;
    if (found.metadata.deletionTimestamp === undefined) await cluster.remove(ref, { uid: secret.uid });
  } catch (error) {
    if (isAppError(error, 'denied', 'forbidden', 'invalid') && !error.retry) return error.message;
    if (!isAppError(error, 'conflict', 'not-found', 'denied')) throw error;
  }
  return undefined;
}

async function verify({ cluster }: StepView, params: Params): Promise<Outcome> {
  const { namespace, serviceAccount } = params;
  const ref = { resource: resources.serviceAccounts, namespace, name: serviceAccount };
  const [account, ...found] = await Promise.all([
    cluster.get(ref, { metadataOnly: true }),
    ...params.secrets.map(({ name }) =>
      cluster.get<KubernetesObject>(tokenSecretRef(namespace, name), { metadataOnly: true }),
    ),
  ]);
  const { uid } = account?.metadata ?? {};
  const missing = params.secrets.filter((_, index) => uid === undefined || accountIn(found[index]) !== uid);
  if (uid === params.uid || missing.length > 0)
    return notDone(
      `Without a token of the new ServiceAccount: ${(missing.length > 0 ? missing : params.secrets).map(({ name }) => name).join(', ')}.`,
    );
  return done(`Each Secret holds a token of the new ServiceAccount.`, { secrets: found.length });
}
