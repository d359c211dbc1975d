// What stands in a namespace now: Pods, and everything that makes some.
import type { PodObject, WorkloadObject } from '../../domain/kubernetes/objects.ts';
import type { Entry } from '../../domain/kubernetes/owners.ts';
import { resources, workloadResources } from '../../domain/kubernetes/resources.ts';
import type { Listed } from '../../domain/situation/listed.ts';
import { isAppError } from '../../errors.ts';
import type { ClusterView } from '../../ports/cluster.ts';

/** None of these says who uses it. */
const NOTHING_ELSE = { autoscalers: [], budgets: [], services: [], callbacks: [] };

/** Throws AppError where something of it may not be listed. */
export async function listedIn(cluster: ClusterView, namespace: string): Promise<Listed> {
  const [pods, ...workloads] = await Promise.all([
    cluster.list({ resource: resources.pods, namespace }) as unknown as Promise<PodObject[]>,
    ...Object.keys(workloadResources).map((kind) => entriesOf(cluster, namespace, kind)),
  ]);
  return { pods, workloads: workloads.flat(), ...NOTHING_ELSE };
}

async function entriesOf(cluster: ClusterView, namespace: string, kind: string): Promise<Entry[]> {
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
