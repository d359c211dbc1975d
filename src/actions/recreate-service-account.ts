// Re-creates a ServiceAccount under its name: the new UID kills every token of the old one, and bindings by name stay valid.
import { z } from 'zod';
import {
  type Action,
  defineAction,
  type Proposal,
  type StepTools,
  type StepView,
} from '../contracts/action.ts';
import { resources } from '../domain/kubernetes/resources.ts';
import { createCommand } from '../domain/kubernetes/shell.ts';
import { done, notDone, type Outcome, unknown } from '../domain/outcome.ts';
import { listWords, withList } from '../domain/situation/carried.ts';
import { pointer } from '../domain/text/json-pointer.ts';
import { isAppError } from '../errors.ts';
import type { JsonPatch, KubernetesObject, ObjectRef } from '../ports/cluster.ts';
import { trial } from './rehearsal/trial.ts';
import { recreated } from './succession/recreation.ts';

const paramsSchema = z.strictObject({
  namespace: z.string(),
  name: z.string(),
  /** UID of the ServiceAccount whose tokens must die. */
  uid: z.string(),
  /** What to create again. In the plan, so that a crash between delete and create loses nothing and people approve it. */
  manifest: z.looseObject({
    metadata: z.looseObject({
      name: z.string(),
      labels: z.record(z.string(), z.string()).exactOptional(),
      annotations: z.record(z.string(), z.string()).exactOptional(),
    }),
  }),
});
type Params = z.infer<typeof paramsSchema>;

interface ServiceAccount extends KubernetesObject {
  automountServiceAccountToken?: boolean;
  imagePullSecrets?: { name?: string }[];
  secrets?: { name?: string }[];
}

const refTo = ({ namespace, name }: Params): ObjectRef => ({
  resource: resources.serviceAccounts,
  namespace,
  name,
});

export const recreateServiceAccount: Action = defineAction<Params>({
  name: 'recreate-service-account',
  phase: 'revoke',
  reversible: false,
  params: paramsSchema,
  permissions: [
    {
      scope: 'namespace',
      apiGroups: [''],
      resources: ['serviceaccounts'],
      verbs: ['get', 'create', 'patch', 'delete'],
    },
  ],
  propose,
  rehearse: ({ cluster }, params) => {
    const { namespace, name } = params;
    const where = { resource: resources.serviceAccounts, namespace };
    const write = () => cluster.tryCreate(where, body(params));
    return trial({ path: `ServiceAccount ${namespace}/${name}`, write }, 'goes-first');
  },
  describe: (params, cluster) => {
    const { namespace, name } = params;
    const kubectl = `kubectl --context ${cluster} -n ${namespace}`;
    return {
      title: `Re-create ServiceAccount ${namespace}/${name} on ${cluster}`,
      breaks: `Every token of it dies, those of running Pods too: they get 401 until they are replaced, and its token Secrets are removed.${listWords(params.manifest)}`,
      kubectl: [`${kubectl} delete serviceaccount ${name}`, createCommand(kubectl, body(params))],
      gives: { namespace, serviceAccount: name, secrets: [] },
    };
  },
  execute,
  verify,
});

function propose(proposal: Proposal): Params[] {
  const existing = recreated(proposal);
  if (existing === undefined) return [];
  const { name, uid, manifest } = existing;
  const { tokenSecrets } = proposal.situation;
  // What is made again has its old name again.
  const kept = withList(manifest, tokenSecrets, (same) => same);
  return [{ namespace: proposal.identity.namespace, name, uid, manifest: kept }];
}

async function execute(tools: StepTools, params: Params): Promise<Outcome> {
  const { cluster } = tools;
  const current = await cluster.get<ServiceAccount>(refTo(params));
  if (current?.metadata.uid === params.uid) {
    const { finalizers = [], deletionTimestamp } = current.metadata;
    if (finalizers.length > 0 && deletionTimestamp === undefined)
      return notDone(
        `It has finalizers now (${finalizers.join(', ')}): deleted, it could not be made again, and its workloads would stay without it. Nothing was touched.`,
      );
    try {
      await cluster.remove(refTo(params), { uid: params.uid });
    } catch (error) {
      if (!isAppError(error, 'not-found', 'conflict')) throw error;
    }
  } else if (current !== null) return await complete(tools, params, current);
  try {
    const created = await cluster.create(
      { resource: resources.serviceAccounts, namespace: params.namespace },
      body(params),
    );
    return done('Re-created under a new UID: no old token is accepted any more.', {
      uid: created.metadata.uid,
    });
  } catch (error) {
    if (isAppError(error, 'denied', 'forbidden', 'invalid') && !error.retry)
      return notDone(
        `It is deleted, so every token of it is dead, but it could not be made again, and until it is no new Pod of it starts. Have it allowed and try again, or create it as somebody who may: the command is under Details. ${error.message}`,
      );
    if (!isAppError(error, 'conflict')) throw error;
    const found = await cluster.get<ServiceAccount>(refTo(params));
    return found === null || found.metadata.uid === params.uid
      ? await verify(tools, params)
      : await complete(tools, params, found);
  }
}

/** Somebody was faster: for `default` it is a controller, which knows nothing of what the old one carried. */
async function complete({ cluster }: StepTools, params: Params, found: ServiceAccount): Promise<Outcome> {
  const { uid } = found.metadata;
  const patch = missingFrom(found, params.manifest);
  if (patch.length > 0)
    await cluster.patch(refTo(params), [{ op: 'test', path: '/metadata/uid', value: uid }, ...patch]);
  const also = patch.length > 0 ? ', and what the old one carried was added to it' : '';
  return done(`It was re-created under a new UID by somebody else${also}.`, { uid });
}

/** Only adds: whoever made it may have had reasons for what is there. */
function missingFrom(found: ServiceAccount, { metadata, ...fields }: Params['manifest']): JsonPatch {
  const maps = (['labels', 'annotations'] as const).flatMap((field): JsonPatch => {
    const wanted = Object.entries(metadata[field] ?? {});
    const present = found.metadata[field];
    const absent = wanted.filter(([key]) => present?.[key] === undefined);
    if (absent.length === 0) return [];
    if (present === undefined)
      return [{ op: 'add', path: `/metadata/${field}`, value: Object.fromEntries(absent) }];
    return absent.map(([key, value]) => ({
      op: 'add',
      path: `/metadata/${field}/${pointer(key)}`,
      value,
    }));
  });
  const lists = (['imagePullSecrets', 'secrets'] as const).flatMap((field): JsonPatch => {
    const [wanted, present] = [(fields[field] ?? []) as { name: string }[], found[field]];
    const absent = wanted.filter(({ name }) => !present?.some((one) => one.name === name));
    if (absent.length === 0) return [];
    if (present === undefined) return [{ op: 'add', path: `/${field}`, value: absent }];
    return absent.map((value) => ({ op: 'add', path: `/${field}/-`, value }));
  });
  const { automountServiceAccountToken: value } = fields;
  const automount: JsonPatch =
    value === undefined || found.automountServiceAccountToken !== undefined
      ? []
      : [{ op: 'add', path: '/automountServiceAccountToken', value }];
  return [...maps, ...lists, ...automount];
}

const body = ({ manifest }: Params): unknown => ({ apiVersion: 'v1', kind: 'ServiceAccount', ...manifest });

async function verify({ cluster }: StepView, params: Params): Promise<Outcome> {
  const found = await cluster.get<ServiceAccount>(refTo(params));
  if (found === null) return notDone('The ServiceAccount is deleted, but not re-created yet.');
  const { uid, deletionTimestamp, finalizers } = found.metadata;
  if (uid !== params.uid)
    return missingFrom(found, params.manifest).length === 0
      ? done('It has a new UID.', { uid })
      : notDone('It has a new UID, but not yet everything that the old one carried.', { uid });
  if (deletionTimestamp === undefined) return notDone('The ServiceAccount still has its old UID.');
  return unknown(`It is being deleted, held by finalizers: ${finalizers?.join(', ') ?? 'none'}.`);
}
