// Re-creates a ServiceAccount under its name: the new UID kills every token of the old one, and bindings by name stay valid.
import { z } from 'zod';
import { type Action, type Bench, defineAction, type Look, type Proposal } from '../contracts.ts';
import { done, notDone, type Outcome, unknown } from '../domain/outcome.ts';
import { isAppError } from '../errors.ts';
import { type ObjectRef, resources } from '../ports.ts';

const paramsSchema = z.strictObject({
  namespace: z.string(),
  name: z.string(),
  /** UID of the ServiceAccount whose tokens must die. */
  uid: z.string(),
  /** What to create again. In the plan, so that a crash between delete and create loses nothing and people approve it. */
  manifest: z.looseObject({ metadata: z.looseObject({ name: z.string() }) }),
});
type Params = z.infer<typeof paramsSchema>;

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
      verbs: ['get', 'create', 'delete'],
    },
  ],
  propose,
  describe: (params, cluster) => {
    const { namespace, name } = params;
    const kubectl = `kubectl --context ${cluster} -n ${namespace}`;
    return {
      title: `Re-create ServiceAccount ${namespace}/${name} on ${cluster}`,
      breaks:
        'Every token of it dies, those of running Pods too: they get 401 until they are replaced, and its token Secrets are removed.',
      kubectl: [
        `${kubectl} delete serviceaccount ${name}`,
        `printf %s ${quoted(JSON.stringify(body(params)))} | ${kubectl} create -f -`,
      ],
    };
  },
  execute,
  verify,
});

function propose({ identity, situation, approach }: Proposal): Params[] {
  const { kind, namespace, serviceAccount } = identity;
  const existing = situation.serviceAccount;
  const only = approach === 'revoke' && ['unbound', 'node-bound', 'every-token'].includes(kind);
  if (!only && approach !== 'recreate') return [];
  if (situation.liveness.alive === 'dead') return [];
  // A finalizer would keep the old UID alive and make re-creation impossible; the planner's warnings say so.
  if (existing === null || existing.finalizers.length > 0) return [];
  const { uid, manifest } = existing;
  return [{ namespace, name: serviceAccount.name, uid, manifest }];
}

async function execute(bench: Bench, params: Params): Promise<Outcome> {
  const { cluster } = bench;
  const current = await cluster.get(refTo(params));
  if (current?.metadata.uid === params.uid) {
    try {
      await cluster.remove(refTo(params), { uid: params.uid });
    } catch (error) {
      if (!isAppError(error, 'not-found', 'conflict')) throw error;
    }
  } else if (current !== null)
    return done('It was already re-created under a new UID.', { uid: current.metadata.uid });
  try {
    const created = await cluster.create(
      { resource: resources.serviceAccounts, namespace: params.namespace },
      body(params),
    );
    return done('Re-created under a new UID: no old token is accepted any more.', {
      uid: created.metadata.uid,
    });
  } catch (error) {
    if (!isAppError(error, 'conflict')) throw error;
    return await verify(bench, params);
  }
}

/** For a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const body = ({ manifest }: Params): unknown => ({ apiVersion: 'v1', kind: 'ServiceAccount', ...manifest });

async function verify({ cluster }: Look, params: Params): Promise<Outcome> {
  const found = await cluster.get(refTo(params));
  if (found === null) return notDone('The ServiceAccount is deleted, but not re-created yet.');
  if (found.metadata.uid !== params.uid) return done('It has a new UID.', { uid: found.metadata.uid });
  if (found.metadata.deletionTimestamp === undefined)
    return notDone('The ServiceAccount still has its old UID.');
  return unknown(
    `It is being deleted, held by finalizers: ${found.metadata.finalizers?.join(', ') ?? 'none'}.`,
  );
}
