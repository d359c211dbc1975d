// Looks at all workloads of a roll-out at once: one list for their Pods and one for each kind, however many there are.
import type { PodObject, WorkloadObject } from '../../domain/kubernetes/objects.ts';
import { podsOf } from '../../domain/kubernetes/old-pods.ts';
import { type Entry, knownBy, topOf } from '../../domain/kubernetes/owners.ts';
import { type Resource, resources, workloadResources } from '../../domain/kubernetes/resources.ts';
import { isAppError } from '../../errors.ts';
import type { ClusterView } from '../../ports/cluster.ts';
import type { Target } from './params.ts';

export interface Survey {
  /** Of the namespace. */
  pods: PodObject[];
  podsOf(target: Target): PodObject[];
  /** Undefined: it is gone, or another has taken its name. */
  objectOf(target: Target): WorkloadObject | undefined;
}

export async function survey(
  cluster: ClusterView,
  namespace: string,
  targets: readonly Target[],
): Promise<Survey> {
  const custom = targets.some((target) => target.custom);
  const kinds = new Set(targets.map(({ kind }) => kind).filter((kind) => kind !== 'Pod'));
  if (kinds.has('CronJob') || custom) kinds.add('Job');
  if (custom) kinds.add('ReplicaSet');
  const list = async <T>(resource: Resource): Promise<T[]> =>
    (await cluster.list({ resource, namespace })) as unknown as T[];
  const [pods, ...lists] = await Promise.all([
    list<PodObject>(resources.pods),
    ...[...kinds].map(async (kind): Promise<Entry[]> => {
      const resource = resourceOf(kind);
      if (resource === undefined) return [];
      const found = await list<WorkloadObject>(resource).catch(noneOf(kind));
      return found.map((object) => ({ kind, apiVersion: '', object }));
    }),
  ]);
  const known = knownBy(lists.flat());
  const jobs = lists.flat().flatMap(({ kind, object }) => (kind === 'Job' ? [object] : []));
  return {
    pods,
    podsOf: (target) =>
      target.custom
        ? pods.filter(({ metadata }) => topOf(metadata, known)?.uid === target.uid)
        : podsOf(target, pods, jobs),
    objectOf: ({ uid }) => known.get(uid)?.object,
  };
}

export const resourceOf = (kind: string): Resource | undefined =>
  (workloadResources as Record<string, Resource>)[kind];

/** A cluster without Argo Rollouts has none of them. */
const noneOf =
  (kind: string) =>
  (error: unknown): never[] => {
    if (kind === 'Rollout' && isAppError(error, 'not-found')) return [];
    throw error;
  };
