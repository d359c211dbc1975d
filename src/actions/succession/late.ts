// Who holds a token of a ServiceAccount from before it was made anew, and was not there yet when the plan was made.
import { consumersOf, type Listed, pathOf } from '../../domain/consumers.ts';
import type { PodObject, WorkloadObject } from '../../domain/kube-objects.ts';
import type { Entry } from '../../domain/owners.ts';
import { holdsToken, referencesOf, type Stake } from '../../domain/pod-references.ts';
import type { WorkloadFact } from '../../domain/situation.ts';
import { isAppError } from '../../errors.ts';
import { type Cluster, type KubernetesObject, resources, workloadResources } from '../../ports.ts';

interface ServiceAccount extends KubernetesObject {
  automountServiceAccountToken?: boolean;
}

export interface Tokens {
  serviceAccount: string;
  /** Secrets that held tokens of it. */
  secrets: string[];
}

/** Workloads with such Pods, besides those that are known; what the Pod was made with stays with it until it is replaced. */
export async function lateUsers(
  cluster: Cluster,
  namespace: string,
  { serviceAccount, secrets }: Tokens,
  known: readonly { uid: string }[],
): Promise<WorkloadFact[]> {
  const ref = { resource: resources.serviceAccounts, namespace, name: serviceAccount };
  const account = await cluster.get<ServiceAccount>(ref);
  if (account === null) return [];
  const stake = { serviceAccount, secrets, automount: account.automountServiceAccountToken };
  const listed = await listedIn(cluster, namespace);
  const made = Date.parse(account.metadata.creationTimestamp ?? '');
  const pods = listed.pods.filter((pod) => !isAfter(pod, made) && holdsTokenOf(pod, stake));
  const found = consumersOf({ ...listed, pods }, stake);
  const owners = new Set(found.pods.map(({ owner }) => owner));
  return found.workloads.filter(
    (workload) => owners.has(pathOf(workload)) && !known.some(({ uid }) => uid === workload.uid),
  );
}

/** Times have whole seconds: of the same one counts as before. */
const isAfter = ({ metadata }: PodObject, made: number): boolean =>
  Date.parse(metadata.creationTimestamp ?? '') > made;

function holdsTokenOf({ spec }: PodObject, stake: Stake): boolean {
  const references = referencesOf(spec, stake);
  return references !== undefined && holdsToken(references, stake.secrets);
}

async function listedIn(cluster: Cluster, namespace: string): Promise<Listed> {
  const [pods, ...workloads] = await Promise.all([
    cluster.list({ resource: resources.pods, namespace }) as unknown as Promise<PodObject[]>,
    ...Object.keys(workloadResources).map((kind) => entriesOf(cluster, namespace, kind)),
  ]);
  const nothingElse = { autoscalers: [], budgets: [], services: [], callbacks: [] };
  return { pods, workloads: workloads.flat(), ...nothingElse };
}

async function entriesOf(cluster: Cluster, namespace: string, kind: string): Promise<Entry[]> {
  const resource = workloadResources[kind as keyof typeof workloadResources];
  try {
    const objects = (await cluster.list({ resource, namespace })) as unknown as WorkloadObject[];
    return objects.map((object) => ({ kind, apiVersion: '', object }));
  } catch (error) {
    // A cluster without Argo Rollouts has none of them.
    if (kind === 'Rollout' && isAppError(error, 'not-found')) return [];
    throw error;
  }
}
