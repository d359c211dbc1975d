// Pods for which a StatefulSet waits in vain. Its controller goes on only when every Pod is Ready, also one of a template that is not wanted any
// more: after a template was taken back, such Pods must be deleted ("Forced rollback" in the documentation of StatefulSets).
import { isReady, type PodObject, type WorkloadObject } from './objects.ts';

const REVISION = 'controller-revision-hash';

export function waitedForInVain(
  kind: string,
  { metadata, spec = {}, status = {} }: WorkloadObject,
  pods: readonly PodObject[],
): PodObject[] {
  const { podManagementPolicy: policy, updateStrategy: { type, rollingUpdate } = {} } = spec;
  const { updateRevision, observedGeneration } = status;
  // These do not wait; those below a partition keep the template that they have.
  if (kind !== 'StatefulSet' || policy === 'Parallel' || type === 'OnDelete' || rollingUpdate?.partition)
    return [];
  const lags = metadata.generation !== undefined && Number(observedGeneration ?? 0) < metadata.generation;
  if (lags || updateRevision === undefined) return [];
  return pods.filter((pod) => {
    const revision = pod.metadata.labels?.[REVISION];
    const going = pod.metadata.deletionTimestamp !== undefined;
    return !going && !isReady(pod) && revision !== undefined && revision !== updateRevision;
  });
}
