// Patches one object in the version that was read: what changed, or took its name, since then is never written to.
import { AppError, isAppError } from '../../errors.ts';
import type { Cluster, JsonPatch, KubernetesObject, ObjectMeta, ObjectRef } from '../../ports/cluster.ts';

export type Pinned =
  | { is: 'patched'; object: KubernetesObject }
  /** Nothing was to be changed. */
  | { is: 'same'; object: KubernetesObject }
  | { is: 'gone' }
  /** Another object has the name. */
  | { is: 'taken' };

/** What changes more often than this while it is read and written is fought over. */
const TRIES = 5;

/**
 * `uid`: of the object that is meant, where it is known. `operations`: undefined where nothing is to be changed. Throws the
 * API server's `does-not-apply` where the patch does not fit what the object is, and not for having changed.
 */
export async function patchPinned(
  cluster: Cluster,
  ref: ObjectRef,
  uid: string | undefined,
  operations: (metadata: ObjectMeta) => JsonPatch | undefined,
): Promise<Pinned> {
  let refused: { version: string; error: AppError } | undefined;
  for (let tries = 0; tries < TRIES; tries++) {
    const object = await cluster.get(ref, { metadataOnly: true });
    if (object === null) return { is: 'gone' };
    const { metadata } = object;
    if (uid !== undefined && metadata.uid !== uid) return { is: 'taken' };
    if (refused?.version === metadata.resourceVersion) throw refused.error;
    const wanted = operations(metadata);
    if (wanted === undefined) return { is: 'same', object };
    try {
      return { is: 'patched', object: await cluster.patch(ref, [...versionIs(metadata), ...wanted]) };
    } catch (error) {
      if (!isAppError(error, 'does-not-apply', 'conflict', 'not-found')) throw error;
      refused = { version: metadata.resourceVersion, error };
    }
  }
  throw new AppError(
    'conflict',
    `${ref.resource.plural} ${ref.namespace ?? ''}/${ref.name} changes faster than it can be written. Nothing was changed, and it is tried again.`,
    { retry: true },
  );
}

/** The object is the one that was read, and nobody has changed it since. */
export const versionIs = ({ uid, resourceVersion }: { uid: string; resourceVersion?: string }): JsonPatch => [
  { op: 'test', path: '/metadata/uid', value: uid },
  { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
];
