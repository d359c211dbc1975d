// How objects go: preconditions, finalizers, graceful deletion.
import { type KubeObject, type PodObject, timestamp } from '../apimachinery/objects.ts';
import { namespaces, pods, type Resource } from '../apimachinery/resources.ts';
import { preconditionFailed } from '../apimachinery/status.ts';
import { NODE_NAME, type World } from './world.ts';

const DEFAULT_GRACE_SECONDS = 30;

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string; resourceVersion?: string };
}

function checkPreconditions(resource: Resource, { metadata }: KubeObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw preconditionFailed(resource, metadata.name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw preconditionFailed(resource, metadata.name, why);
  }
}

function graceOf(resource: Resource, object: KubeObject, options: DeleteOptions): number {
  if (resource !== pods) return 0;
  const { spec } = object as PodObject;
  // Nothing runs yet, so there is nothing to wait for.
  if (spec.nodeName === undefined) return 0;
  return options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
}

/** Removes the object, or marks it when a grace period or a finalizer holds it; says which object is left. */
export function deleteObject(
  world: World,
  resource: Resource,
  object: KubeObject,
  options: DeleteOptions = {},
): { object: KubeObject; removed: boolean } {
  checkPreconditions(resource, object, options);
  const grace = graceOf(resource, object, options);
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
  if (grace === 0 && finalizers.length === 0) {
    world.store.remove(resource, object);
    return { object: resource === namespaces ? terminating(world, object) : object, removed: true };
  }
  // A second deletion can only ask for a shorter grace period, and counts from the first request.
  const shorter = (options.gracePeriodSeconds ?? Number.POSITIVE_INFINITY) < deletionGracePeriodSeconds;
  if (deletionTimestamp !== undefined && !shorter) return { object, removed: false };
  const requestedAt =
    deletionTimestamp === undefined
      ? world.now()
      : Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
  const marked = world.store.put(resource, markedFor(object, requestedAt, grace));
  if (grace > 0) stopLater(world, resource, marked, grace);
  return { object: marked, removed: false };
}

function markedFor(object: KubeObject, requestedAt: number, grace: number): KubeObject {
  const deletionTimestamp = timestamp(requestedAt + grace * 1000);
  const metadata = { ...object.metadata, deletionTimestamp, deletionGracePeriodSeconds: grace };
  return { ...object, metadata };
}

/** What the answer shows; the real server empties a namespace while it is in this state. */
function terminating(world: World, namespace: KubeObject): KubeObject {
  return { ...markedFor(namespace, world.now(), 0), status: { phase: 'Terminating' } };
}

/** The kubelet's part: once the containers stopped, it deletes the Pod for good. */
function stopLater(world: World, resource: Resource, object: KubeObject, graceSeconds: number): void {
  if ((object as PodObject).spec.nodeName !== NODE_NAME) return;
  const { namespace, name, uid } = object.metadata;
  world.timeline.after(Math.min(graceSeconds * 1000, world.podStopMs), () => {
    const live = world.store.get(resource, namespace, name);
    if (live?.metadata.uid === uid) deleteObject(world, resource, live, { gracePeriodSeconds: 0 });
  });
}
