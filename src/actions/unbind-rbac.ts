// Takes the power of a ServiceAccount away, where a binding names nobody else, and gives it back: its tokens stay alive.
import { z } from 'zod';
import {
  type Action,
  defineAction,
  type Proposal,
  type StepTools,
  type StepView,
} from '../contracts/action.ts';
import type { Memory } from '../domain/incident/incident.ts';
import { resources } from '../domain/kubernetes/resources.ts';
import { done, notDone, type Outcome } from '../domain/outcome.ts';
import { hasRights, unbindCommand } from '../domain/plan/rights.ts';
import { type BindingLike, bindingPath, gives } from '../domain/situation/bindings.ts';
import type { BindingFact } from '../domain/situation/situation.ts';
import { isAppError } from '../errors.ts';
import type { ClusterView, KubernetesObject, ObjectRef } from '../ports/cluster.ts';

const bindingSchema = z.strictObject({
  kind: z.enum(['RoleBinding', 'ClusterRoleBinding']),
  namespace: z.string().exactOptional(),
  name: z.string(),
  uid: z.string(),
  role: z.strictObject({ kind: z.enum(['Role', 'ClusterRole']), name: z.string() }),
});
const paramsSchema = z.strictObject({
  namespace: z.string(),
  name: z.string(),
  bindings: z.array(bindingSchema),
});
type Params = z.infer<typeof paramsSchema>;
type Bound = z.infer<typeof bindingSchema>;

interface UnbindMemory extends Memory {
  /** What is made again to take it back, by path. */
  saved?: Record<string, Manifest>;
}
interface Manifest {
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  roleRef: BindingLike['roleRef'];
  subjects: BindingLike['subjects'];
}

type Binding = KubernetesObject & BindingLike;
const RBAC = 'rbac.authorization.k8s.io';

export const unbindRbac: Action = defineAction<Params>({
  name: 'unbind-rbac',
  // No containment: that is proven by a token that is refused, and this one stays accepted.
  phase: 'replace',
  reversible: true,
  params: paramsSchema,
  permissions: [
    {
      scope: 'opt-in',
      apiGroups: [RBAC],
      resources: ['rolebindings', 'clusterrolebindings'],
      verbs: ['create', 'delete'],
    },
    { scope: 'opt-in', apiGroups: [RBAC], resources: ['roles', 'clusterroles'], verbs: ['bind'] },
  ],
  propose,
  describe: ({ namespace, name, bindings }, cluster) => ({
    title: `Take its power away from ServiceAccount ${namespace}/${name} on ${cluster}: delete ${bindings.map(bindingPath).join(', ')}`,
    breaks:
      'Thief and workloads alike get 403 for what these bindings allowed, until it is undone. The token stays accepted.',
    kubectl: bindings.map((binding) => unbindCommand(binding, cluster)),
    back: `Give ServiceAccount ${namespace}/${name} on ${cluster} its power back: create ${bindings.map(bindingPath).join(', ')}`,
  }),
  execute,
  verify,
  undo,
});

function propose({ identity, situation, approach }: Proposal): Params[] {
  const bindings = situation.bindings.filter(({ sole }) => sole).map(toBound);
  if (approach !== 'unbind' || bindings.length === 0 || !hasRights(situation)) return [];
  if (situation.liveness.alive === 'dead') return [];
  return [{ namespace: identity.namespace, name: identity.serviceAccount.name, bindings }];
}

const toBound = ({ kind, namespace, name, uid, role }: BindingFact): Bound => ({
  kind,
  ...(namespace === undefined ? {} : { namespace }),
  name,
  uid,
  role,
});

const refTo = ({ kind, namespace, name }: Bound): ObjectRef => ({
  resource: kind === 'RoleBinding' ? resources.roleBindings : resources.clusterRoleBindings,
  ...(namespace === undefined ? {} : { namespace }),
  name,
});

/** Bindings may be listed and not read one by one. */
async function read(cluster: ClusterView, bound: Bound): Promise<Binding | undefined> {
  const { name, ...where } = refTo(bound);
  const [found] = await cluster.list<Binding>({ ...where, fieldSelector: `metadata.name=${name}` });
  return found;
}

async function execute(tools: StepTools, params: Params): Promise<Outcome> {
  const left: string[] = [];
  for (const bound of params.bindings)
    if (!(await unbind(tools, params, bound))) left.push(bindingPath(bound));
  if (left.length > 0)
    return notDone(
      `Changed since the plan was made, and so left alone: ${left.join(', ')}. Undo what was done, or ask for the plan again.`,
    );
  return done(`Deleted ${params.bindings.length} bindings. The token is still accepted.`);
}

/** False: it is not the one that was approved. Kept before it goes, so that a crash between the two loses nothing. */
async function unbind(tools: StepTools, params: Params, bound: Bound): Promise<boolean> {
  const found = await read(tools.cluster, bound);
  if (found === undefined) return true;
  const { uid, resourceVersion } = found.metadata;
  if (uid !== bound.uid || !gives(found, bound.role, params.namespace, params.name)) return false;
  const { saved = {} } = tools.memory as UnbindMemory;
  await tools.remember({ saved: { ...saved, [bindingPath(bound)]: keep(found) } } satisfies UnbindMemory);
  try {
    // A subject that was added meanwhile makes another version of it.
    await tools.cluster.remove(refTo(bound), { uid, resourceVersion });
    return true;
  } catch (error) {
    if (isAppError(error, 'not-found')) return true;
    if (isAppError(error, 'conflict')) return false;
    throw error;
  }
}

function keep({ metadata: { name, labels, annotations }, roleRef, subjects }: Binding): Manifest {
  return {
    metadata: { name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
    roleRef,
    subjects,
  };
}

/** Another binding that took the name counts where it gives the same again. */
async function verify({ cluster }: StepView, params: Params): Promise<Outcome> {
  const { bindings, namespace, name } = params;
  const found = await Promise.all(bindings.map((bound) => read(cluster, bound)));
  const there = bindings.filter((bound, index) => {
    const now = found[index];
    return now !== undefined && (now.metadata.uid === bound.uid || gives(now, bound.role, namespace, name));
  });
  return there.length === 0
    ? done('These bindings are gone. The token is still accepted.')
    : notDone(`Still there: ${there.map(bindingPath).join(', ')}.`);
}

async function undo(tools: StepTools, params: Params): Promise<Outcome> {
  const { saved = {} } = tools.memory as UnbindMemory;
  const others: string[] = [];
  for (const bound of params.bindings) {
    const manifest = saved[bindingPath(bound)];
    if (manifest === undefined) continue;
    const { name: _, ...where } = refTo(bound);
    try {
      await tools.cluster.create(where, { apiVersion: `${RBAC}/v1`, kind: bound.kind, ...manifest });
    } catch (error) {
      if (!isAppError(error, 'conflict')) throw error;
      // Somebody, or a try before a crash, has made it already; or somebody else's has the name now.
      const found = await read(tools.cluster, bound);
      const same = found && gives(found, bound.role, params.namespace, params.name);
      if (!same) others.push(bindingPath(bound));
    }
  }
  if (others.length > 0)
    return notDone(
      `Another binding has taken the name and does not give these rights: ${others.join(', ')}. It was not touched. Rename or delete it, then try again.`,
    );
  return done(`The bindings are there again: ${Object.keys(saved).join(', ') || 'none was deleted'}.`);
}
