// Does to one workload what brings its roll-out further; each call is harmless twice.
import type { StepTools } from '../../contracts/action.ts';
import { withoutCopies } from '../../domain/kubernetes/annotations.ts';
import type { PodObject, PodTemplate } from '../../domain/kubernetes/objects.ts';
import { resources } from '../../domain/kubernetes/resources.ts';
import { refusedIn } from '../../domain/plan/rehearsal.ts';
import { scrub } from '../../domain/token/leak-material.ts';
import { isAppError } from '../../errors.ts';
import type { ClusterTrial } from '../../ports/cluster.ts';
import { trial } from '../rehearsal/trial.ts';
import type { Change, WorkloadStanding } from './standing.ts';
import { resourceOf } from './survey.ts';

/** Keys of the step's memory, beside those that the engine knows. */
export interface RollOutMemory {
  /** UIDs of the Pods that were there. */
  old?: string[];
  began?: number;
  /** Null: a roll-out that takes back another has not begun; what is left out stays as it was noted. */
  waves?: string[][] | null;
  touched?: string[];
  /** What bare Pods are made from again, by name. */
  manifests?: Record<string, unknown>;
}

/** Undefined: it went as it should. Otherwise why this workload cannot go on, or waits. */
export type Hitch = { at: 'going' | 'stuck' | 'left'; line: string } | undefined;

export async function advance(
  tools: StepTools,
  namespace: string,
  change: Change,
  standing: WorkloadStanding,
): Promise<Hitch> {
  const { next, target } = standing;
  try {
    switch (next?.do) {
      case 'patch': {
        const resource = resourceOf(target.kind);
        if (resource === undefined) return undefined;
        await tools.cluster.patch({ resource, namespace, name: target.name }, next.patch);
        return undefined;
      }
      case 'evict':
        return await evict(tools, namespace, next.pods);
      case 'delete':
        return await removeAll(tools, namespace, next.pods);
      case 'remove-bare':
        return await removeBare(tools, namespace, change, next.pod);
      case 'create-bare':
        return await createBare(tools, namespace, target.name);
      default:
        return undefined;
    }
  } catch (error) {
    // What may pass by itself is waited for, up to the deadline; by the same words a person knows what for.
    if (isAppError(error, 'denied') && error.retry) return { at: 'going', line: error.message };
    if (isAppError(error, 'denied', 'forbidden', 'invalid', 'unsupported'))
      return { at: 'stuck', line: error.message };
    // It changed since it was looked at, or is gone: the next look tells.
    if (isAppError(error, 'does-not-apply', 'conflict', 'not-found'))
      return { at: 'going', line: 'It changed meanwhile; looking again.' };
    throw error;
  }
}

async function evict(
  { cluster, signal }: StepTools,
  namespace: string,
  pods: readonly PodObject[],
): Promise<Hitch> {
  for (const { metadata } of pods) {
    if (signal.aborted) return undefined;
    try {
      await cluster.evict({ namespace, name: metadata.name }, { uid: metadata.uid });
    } catch (error) {
      if (isAppError(error, 'throttled'))
        return { at: 'going', line: `A PodDisruptionBudget lets no Pod go now (${metadata.name}).` };
      if (isAppError(error, 'not-found', 'conflict')) continue;
      throw error;
    }
  }
  return undefined;
}

/** In the version that was seen: one that has become Ready since stays. */
async function removeAll(
  { cluster }: StepTools,
  namespace: string,
  pods: readonly PodObject[],
): Promise<Hitch> {
  for (const { metadata } of pods) {
    const { name, uid, resourceVersion } = metadata;
    const version = resourceVersion === undefined ? {} : { resourceVersion };
    try {
      await cluster.remove({ resource: resources.pods, namespace, name }, { uid, ...version });
    } catch (error) {
      if (!isAppError(error, 'not-found', 'conflict')) throw error;
    }
  }
  return undefined;
}

/** The manifest is kept before the Pod goes: a crash in between would lose it. */
async function removeBare(
  { cluster, memory, remember }: StepTools,
  namespace: string,
  change: Change,
  pod: PodObject,
): Promise<Hitch> {
  const manifest = manifestOf(pod, change);
  const text = JSON.stringify(manifest);
  if (scrub(text) !== text)
    return {
      at: 'left',
      line: 'A token stands in its manifest, which must not be kept: make it anew by hand.',
    };
  const { name, uid } = pod.metadata;
  const [refused] = refusedIn(await trial(bareAgain(cluster, namespace, pod, change), 'goes-first'));
  if (refused)
    return { at: 'left', line: `It was not removed, as it could not come back: ${refused.detail}` };
  const { manifests = {} } = memory as RollOutMemory;
  await remember({ manifests: { ...manifests, [name]: manifest } });
  await cluster.remove({ resource: resources.pods, namespace, name }, { uid });
  return undefined;
}

/** As it would be made again. */
export const bareAgain = (cluster: ClusterTrial, namespace: string, pod: PodObject, change: Change) => ({
  path: `Pod ${namespace}/${pod.metadata.name}`,
  workload: `Pod/${pod.metadata.name}`,
  write: () => cluster.tryCreate({ resource: resources.pods, namespace }, manifestOf(pod, change)),
});

async function createBare({ cluster, memory }: StepTools, namespace: string, name: string): Promise<Hitch> {
  const manifest = (memory as RollOutMemory).manifests?.[name];
  await cluster.create({ resource: resources.pods, namespace }, manifest);
  return undefined;
}

/** Volume that the ServiceAccount admission puts into each Pod, and will again. */
const INJECTED = /^kube-api-access-/;

interface FullSpec {
  nodeName?: string;
  ephemeralContainers?: unknown;
  volumes?: { name?: string }[];
  containers?: WithMounts[];
  initContainers?: WithMounts[];
}
interface WithMounts {
  volumeMounts?: { name?: string }[];
}

/** What a person would create: nothing that the cluster itself has put in. */
export function manifestOf({ metadata, spec = {} }: PodObject, change: Pick<Change, 'respec'>): unknown {
  const { nodeName: _, ephemeralContainers: __, ...kept } = spec as FullSpec;
  const annotations = withoutCopies(metadata.annotations);
  const bare = (containers: WithMounts[] = []) =>
    containers.map((container) => ({
      ...container,
      volumeMounts: (container.volumeMounts ?? []).filter(({ name = '' }) => !INJECTED.test(name)),
    }));
  const clean = {
    ...kept,
    volumes: (kept.volumes ?? []).filter(({ name = '' }) => !INJECTED.test(name)),
    containers: bare(kept.containers),
    ...(kept.initContainers ? { initContainers: bare(kept.initContainers) } : {}),
  };
  const template = change.respec({
    metadata: { ...(metadata.labels ? { labels: metadata.labels } : {}), annotations },
    spec: clean as NonNullable<PodTemplate['spec']>,
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: metadata.name, ...template.metadata },
    spec: template.spec,
  };
}
