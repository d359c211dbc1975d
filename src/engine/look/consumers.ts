// Reads everything in a namespace that could use what leaked; what cannot be read is said and stops nothing else.
import type {
  AutoscalerObject,
  BudgetObject,
  PodObject,
  WorkloadObject,
} from '../../domain/kubernetes/objects.ts';
import type { Entry } from '../../domain/kubernetes/owners.ts';
import { type Resource, resources, workloadResources } from '../../domain/kubernetes/resources.ts';
import type { ServiceObject } from '../../domain/situation/callbacks.ts';
import { type Consumers, consumersOf } from '../../domain/situation/consumers.ts';
import type { Listed } from '../../domain/situation/listed.ts';
import type { Situation, TokenSecretFact } from '../../domain/situation/situation.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';
import { isAppError } from '../../errors.ts';
import type { ClusterView, KubernetesObject } from '../../ports/cluster.ts';
import { readCallbacks } from './callbacks.ts';
import type { TryToRead } from './try-to-read.ts';

/** One list per kind: templates must be read whole, because metadata does not say what they mount. */
export async function readConsumers(
  cluster: ClusterView,
  namespace: string,
  tryToRead: TryToRead,
): Promise<Listed> {
  const list = <T>(what: string, resource: Resource): Promise<T[]> =>
    tryToRead<T[]>(what, [], async () => (await cluster.list({ resource, namespace })) as unknown as T[]);
  const kinds = Object.entries(workloadResources).filter(([kind]) => kind !== 'Rollout');
  const [pods, autoscalers, budgets, services, rollouts, ...workloads] = await Promise.all([
    list<PodObject>('Pods', resources.pods),
    list<AutoscalerObject>('HorizontalPodAutoscalers', resources.autoscalers),
    list<BudgetObject>('PodDisruptionBudgets', resources.budgets),
    list<ServiceObject>('Services', resources.services),
    tryToRead<Entry[]>('Rollouts', [], () => readRollouts(cluster, namespace)),
    ...kinds.map(async ([kind, resource]) => entries(kind, resource, await list(`${kind}s`, resource))),
  ]);
  const all = [...workloads.flat(), ...rollouts];
  return { pods, autoscalers, budgets, services, workloads: all, callbacks: [] };
}

/** A cluster without Argo Rollouts has none. */
async function readRollouts(cluster: ClusterView, namespace: string): Promise<Entry[]> {
  const resource = resources.rollouts;
  try {
    const found = await cluster.list<KubernetesObject & WorkloadObject>({ resource, namespace });
    return entries('Rollout', resource, found);
  } catch (error) {
    if (isAppError(error, 'not-found')) return [];
    throw error;
  }
}

function entries(kind: string, { group, version }: Resource, objects: WorkloadObject[]): Entry[] {
  const apiVersion = group === '' ? version : `${group}/${version}`;
  return objects.map((object) => ({ kind, apiVersion, object }));
}

export interface Around {
  identity: TokenIdentity;
  account: Situation['serviceAccount'];
  tokenSecrets: readonly TokenSecretFact[];
  listed: Listed;
}

/** Whom the API server asks is looked up only where one of the workloads stands behind a Service. */
export async function readUsers(
  cluster: ClusterView,
  { identity, account, tokenSecrets, listed }: Around,
  tryToRead: TryToRead,
): Promise<Consumers> {
  const find = (all: Listed) => findConsumers(all, identity, account, tokenSecrets);
  const found = find(listed);
  if (found.workloads.every(({ services }) => services === undefined)) return found;
  const callbacks = await readCallbacks(cluster, identity.namespace, tryToRead);
  return callbacks.length === 0 ? found : find({ ...listed, callbacks });
}

/** Pods: who uses what leaked. Workloads: also who uses any other token of the ServiceAccount, because some ways kill them all. */
function findConsumers(
  listed: Listed,
  { serviceAccount, boundTo }: TokenIdentity,
  account: Situation['serviceAccount'],
  tokenSecrets: readonly TokenSecretFact[],
): Consumers {
  const every = tokenSecrets.map(({ name }) => name);
  const leaked = boundTo?.kind === 'Secret' ? [boundTo.name] : every;
  const using = (secrets: string[]): Consumers =>
    consumersOf(listed, {
      serviceAccount: serviceAccount.name,
      secrets,
      automount: account?.manifest.automountServiceAccountToken,
    });
  const { workloads } = using([...new Set([...leaked, ...every])]);
  return { pods: using(leaked).pods, workloads };
}
