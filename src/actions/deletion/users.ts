// The last look before something is deleted: who uses it now, whatever was planned or soaked before.
import type { Bench } from '../../contracts.ts';
import { consumersOf, type Listed, pathOf } from '../../domain/consumers.ts';
import type { PodObject, WorkloadObject } from '../../domain/kube-objects.ts';
import type { Entry } from '../../domain/owners.ts';
import type { Stake } from '../../domain/pod-references.ts';
import { isAppError } from '../../errors.ts';
import { type Cluster, resources, workloadResources } from '../../ports.ts';

/** Pods that are ending are waited for, no longer than this. */
const PATIENCE_MS = 120_000;
const LOOK_EVERY_MS = 2000;

/** None of these says who uses it. */
const NOTHING_ELSE = { autoscalers: [], budgets: [], services: [], callbacks: [] };

/**
 * Pods, and templates that would make such Pods, also where none runs now: `Kind/name` each. Pods that are ending alone are
 * given the time to do so, or do not count where there is no time.
 */
export async function usersNow(
  { cluster, now, sleep }: Pick<Bench, 'cluster' | 'now' | 'sleep'>,
  namespace: string,
  stake: Stake,
  ending: 'wait' | 'ignore' = 'wait',
): Promise<string[]> {
  const until = now() + PATIENCE_MS;
  for (;;) {
    const listed = await listedIn(cluster, namespace);
    const using = (pods: Listed['pods']): string[] =>
      consumersOf({ ...listed, pods }, stake).workloads.map(pathOf);
    const all = using(listed.pods);
    const staying = using(listed.pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined));
    if (ending === 'ignore') return staying;
    if (all.length === 0 || staying.length > 0 || now() >= until) return all;
    await sleep(LOOK_EVERY_MS);
  }
}

/** In few words. */
export const some = (users: readonly string[]): string =>
  `${users.slice(0, 10).join(', ')}${users.length > 10 ? ` and ${users.length - 10} more` : ''}`;

async function listedIn(cluster: Cluster, namespace: string): Promise<Listed> {
  const [pods, ...workloads] = await Promise.all([
    cluster.list({ resource: resources.pods, namespace }) as unknown as Promise<PodObject[]>,
    ...Object.keys(workloadResources).map((kind) => entriesOf(cluster, namespace, kind)),
  ]);
  return { pods, workloads: workloads.flat(), ...NOTHING_ELSE };
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
