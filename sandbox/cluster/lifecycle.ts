// How objects come, change and go: server-set metadata, preconditions, finalizers, graceful deletion.
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Draft, type KubeObject, type PodObject, timestamp } from './objects.ts';
import { apiVersion, namespaces, pods, type Resource } from './resources.ts';
import { alreadyExists, badRequest, conflict, modified, notFound } from './status.ts';
import type { World } from './world.ts';

const DEFAULT_GRACE_SECONDS = 30;

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string; resourceVersion?: string };
}

function randomSuffix(): string {
  return randomUUID().replaceAll('-', '').slice(0, 5);
}

function withManager(world: World, object: KubeObject, manager: string): KubeObject {
  const { managedFields = [] } = object.metadata;
  const entry = {
    manager,
    operation: 'Update',
    apiVersion: object.apiVersion,
    time: timestamp(world.now()),
    fieldsType: 'FieldsV1',
  } as const;
  const others = managedFields.filter((each) => each.manager !== manager);
  return { ...object, metadata: { ...object.metadata, managedFields: [...others, entry] } };
}

/** Writes without any check: for the cluster's own components. */
export function putObject(world: World, resource: Resource, object: KubeObject, manager: string): KubeObject {
  return world.store.put(resource, withManager(world, object, manager));
}

export function createObject(
  world: World,
  resource: Resource,
  namespace: string | undefined,
  draft: Draft,
  manager: string,
): KubeObject {
  const metadata = draft.metadata ?? {};
  const name = metadata.name ?? (metadata.generateName && `${metadata.generateName}${randomSuffix()}`);
  if (!name) throw badRequest(`${resource.kind} is invalid: metadata.name: name or generateName is required`);
  if (resource.namespaced && world.store.get(namespaces, undefined, namespace) === undefined) {
    throw notFound(namespaces, namespace ?? '');
  }
  if (world.store.get(resource, namespace, name) !== undefined) throw alreadyExists(resource, name);
  const { namespace: _, resourceVersion: __, uid: ___, deletionTimestamp: ____, ...given } = metadata;
  const object: KubeObject = {
    ...withDefaults(resource, structuredClone(draft)),
    apiVersion: apiVersion(resource),
    kind: resource.kind,
    metadata: {
      ...structuredClone(given),
      name,
      ...(resource.namespaced && namespace !== undefined ? { namespace } : {}),
      uid: randomUUID(),
      resourceVersion: '',
      creationTimestamp: timestamp(world.now()),
      ...('spec' in draft ? { generation: 1 } : {}),
    },
  };
  return putObject(world, resource, object, manager);
}

function withDefaults(resource: Resource, draft: Draft): Draft {
  if (resource.kind === 'Secret') {
    const { stringData = {}, data = {}, ...rest } = draft as Draft & Record<string, Record<string, string>>;
    const encoded = Object.entries(stringData).map(([key, text]) => [
      key,
      Buffer.from(text).toString('base64'),
    ]);
    const all = { ...data, ...Object.fromEntries(encoded) };
    return { type: 'Opaque', ...rest, ...(Object.keys(all).length === 0 ? {} : { data: all }) };
  }
  if (resource.kind !== 'Pod') return draft;
  const spec = { serviceAccountName: 'default', ...(draft.spec as Record<string, unknown> | undefined) };
  return { ...draft, spec, status: { phase: 'Pending', ...(draft.status as object | undefined) } };
}

/** Replaces `current` by `next` (PUT and PATCH): optimistic locking, generation, end of finalizers. */
export function replaceObject(
  world: World,
  resource: Resource,
  current: KubeObject,
  next: KubeObject,
  manager: string,
): KubeObject {
  const { name, uid, resourceVersion } = current.metadata;
  if (next.metadata.resourceVersion && next.metadata.resourceVersion !== resourceVersion) {
    throw modified(resource, name);
  }
  if (next.metadata.uid && next.metadata.uid !== uid) {
    const why = `Precondition failed: UID in precondition: ${next.metadata.uid}, UID in object meta: ${uid}`;
    throw conflict(resource, name, why);
  }
  if (next.metadata.name !== name || next.metadata.namespace !== current.metadata.namespace) {
    throw badRequest('the name or namespace of the object does not match the one in the URL');
  }
  const merged = keepServerFields(current, next);
  if (isDeepStrictEqual(merged, current)) return current;
  if (finished(merged)) {
    world.store.remove(resource, merged);
    return merged;
  }
  return putObject(world, resource, merged, manager);
}

function keepServerFields(current: KubeObject, next: KubeObject): KubeObject {
  const { uid, resourceVersion, creationTimestamp, generation, managedFields } = current.metadata;
  const { deletionTimestamp, deletionGracePeriodSeconds } = current.metadata;
  const { deletionTimestamp: _, deletionGracePeriodSeconds: __, ...own } = next.metadata;
  const specChanged = !isDeepStrictEqual(current.spec, next.spec);
  const metadata = {
    ...own,
    uid,
    resourceVersion,
    creationTimestamp,
    ...(managedFields === undefined ? {} : { managedFields }),
    ...(generation === undefined ? {} : { generation: generation + (specChanged ? 1 : 0) }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(deletionGracePeriodSeconds === undefined ? {} : { deletionGracePeriodSeconds }),
  };
  return { ...next, apiVersion: current.apiVersion, kind: current.kind, metadata };
}

function finished({ metadata }: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers = [] } = metadata;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && finalizers.length === 0;
}

function checkPreconditions(resource: Resource, { metadata }: KubeObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(resource, metadata.name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(resource, metadata.name, why);
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
    return { object, removed: true };
  }
  if (deletionTimestamp !== undefined && grace >= deletionGracePeriodSeconds)
    return { object, removed: false };
  // A second, shorter deletion counts from the first request.
  const requestedAt =
    deletionTimestamp === undefined
      ? world.now()
      : Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
  const metadata = {
    ...object.metadata,
    deletionTimestamp: timestamp(requestedAt + grace * 1000),
    deletionGracePeriodSeconds: grace,
  };
  const marked = world.store.put(resource, { ...object, metadata });
  if (grace > 0) stopLater(world, resource, marked, grace);
  return { object: marked, removed: false };
}

/** The kubelet's part: once the containers stopped, it deletes the Pod for good. */
function stopLater(world: World, resource: Resource, object: KubeObject, graceSeconds: number): void {
  const { namespace, name, uid } = object.metadata;
  world.timeline.after(Math.min(graceSeconds * 1000, world.podStopMs), () => {
    const live = world.store.get(resource, namespace, name);
    if (live?.metadata.uid === uid) deleteObject(world, resource, live, { gracePeriodSeconds: 0 });
  });
}
