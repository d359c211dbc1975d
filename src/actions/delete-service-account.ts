// Deletes a ServiceAccount that another has taken the place of, once nothing uses it any more: every token of it dies.
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
import { done, notDone, type Outcome, unknown, untouched } from '../domain/outcome.ts';
import { hasRights } from '../domain/plan/rights.ts';
import { isAppError } from '../errors.ts';
import type { Cluster, ObjectRef } from '../ports/cluster.ts';
import { some, usersNow } from './deletion/users.ts';

const paramsSchema = z.strictObject({
  namespace: z.string(),
  name: z.string(),
  uid: z.string(),
  /** Secrets that hold tokens of it, which are removed with it. */
  secrets: z.array(z.string()),
});
type Params = z.infer<typeof paramsSchema>;

const refTo = ({ namespace, name }: Params): ObjectRef => ({
  resource: resources.serviceAccounts,
  namespace,
  name,
});

export const deleteServiceAccount: Action = defineAction<Params>({
  name: 'delete-service-account',
  phase: 'revoke',
  reversible: false,
  params: paramsSchema,
  permissions: [{ scope: 'namespace', apiGroups: [''], resources: ['serviceaccounts'], verbs: ['delete'] }],
  propose,
  describe: ({ namespace, name }, cluster) => ({
    title: `Delete ServiceAccount ${namespace}/${name} on ${cluster}`,
    breaks:
      'Every token of it dies, and Secrets with such tokens are removed. It is not done while anything in the namespace still uses it.',
    kubectl: [
      `kubectl --context ${cluster} -n ${namespace} get pods --field-selector spec.serviceAccountName=${name}`,
      `kubectl --context ${cluster} -n ${namespace} delete serviceaccount ${name}`,
    ],
  }),
  execute,
  verify,
});

function propose({ identity, situation, approach }: Proposal): Params[] {
  const { serviceAccount, tokenSecrets, liveness } = situation;
  if (approach !== 'new-service-account' || serviceAccount === null || serviceAccount.deleting) return [];
  if (liveness.alive === 'dead' || !hasRights(situation)) return [];
  const secrets = tokenSecrets.filter(({ otherType }) => !otherType).map(({ name }) => name);
  return [{ namespace: identity.namespace, name: serviceAccount.name, uid: serviceAccount.uid, secrets }];
}

async function execute(tools: StepTools, params: Params): Promise<Outcome> {
  const before = await verify(tools, params);
  if (before.verdict !== 'not-done') return before;
  // Read before anybody is asked who uses it: who goes back to it makes another version of it.
  const { resourceVersion } =
    (await tools.cluster.get(refTo(params), { metadataOnly: true }))?.metadata ?? {};
  const { namespace, name } = params;
  const secrets = await tokenSecretsOf(tools.cluster, params);
  const left = await usersNow(tools, namespace, { serviceAccount: name, secrets });
  if (left.length > 0)
    return untouched(
      `${namespace}/${name} is still used by ${some(left)}. It was not deleted. Try again once they use the new one.`,
    );
  try {
    const version = resourceVersion === undefined ? {} : { resourceVersion };
    await tools.cluster.remove(refTo(params), { uid: params.uid, ...version });
  } catch (error) {
    if (isAppError(error, 'forbidden', 'denied')) return untouched(error.message);
    if (!isAppError(error, 'not-found', 'conflict')) throw error;
  }
  return await verify(tools, params);
}

/** Those that the plan knew, and any that was made since: they all go with it. */
async function tokenSecretsOf(cluster: Cluster, { namespace, name, secrets }: Params): Promise<string[]> {
  const fieldSelector = `type=${TOKEN_SECRET_TYPE}`;
  const found = await cluster.list({
    resource: resources.secrets,
    namespace,
    fieldSelector,
    metadataOnly: true,
  });
  const own = found.filter(({ metadata }) => metadata.annotations?.[SERVICE_ACCOUNT_NAME] === name);
  return [...new Set([...secrets, ...own.map(({ metadata }) => metadata.name)])];
}

async function verify({ cluster }: StepView, params: Params): Promise<Outcome> {
  const found = await cluster.get(refTo(params), { metadataOnly: true });
  if (found === null) return done('The ServiceAccount is gone: no token of it is accepted.');
  const { uid, deletionTimestamp, finalizers } = found.metadata;
  if (uid !== params.uid)
    return done('The ServiceAccount is gone; another has taken its name, which was not touched.', { uid });
  if (deletionTimestamp === undefined) return notDone('The ServiceAccount still exists.');
  if (finalizers === undefined) return unknown('The ServiceAccount is being deleted.');
  // Nothing is made under its name again, so what holds the object does not matter to its tokens.
  return done(
    `The ServiceAccount is being deleted, held by finalizers (${finalizers.join(', ')}): its tokens die within about a minute of ${deletionTimestamp}.`,
  );
}
