// How objects come and change: server-set metadata, optimistic locking, what a client may not write.
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Draft, type KubeObject, type ObjectMeta, timestamp } from '../apimachinery/objects.ts';
import { apiVersion, namespaces, type Resource } from '../apimachinery/resources.ts';
import {
  ApiError,
  alreadyExists,
  badRequest,
  conflict,
  invalid,
  modified,
  notFound,
  stillBeingDeleted,
} from '../apimachinery/status.ts';
import { checkDraft, withDefaults } from './defaults.ts';
import type { World } from './world.ts';

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
  if (!name) throw invalid(resource, '', 'metadata.name', 'Required value: name or generateName is required');
  if (metadata.resourceVersion) {
    throw new ApiError(500, 'InternalError', 'resourceVersion should not be set on objects to be created');
  }
  if (resource.namespaced && world.store.get(namespaces, undefined, namespace) === undefined) {
    throw notFound(namespaces, namespace ?? '');
  }
  checkDraft(resource, name, draft);
  const taken = world.store.get(resource, namespace, name);
  if (taken?.metadata.deletionTimestamp !== undefined) throw stillBeingDeleted(resource, name);
  if (taken !== undefined) throw alreadyExists(resource, name);
  const { namespace: _, resourceVersion: __, uid: ___, deletionTimestamp: ____, ...given } = metadata;
  const object: KubeObject = {
    ...withDefaults(resource, structuredClone(draft)),
    apiVersion: apiVersion(resource),
    kind: resource.kind,
    metadata: {
      ...withoutEmpty(structuredClone({ ...given, ...labelsOf(resource, name, given) })),
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

/** Every namespace is labelled with its own name. */
function labelsOf(
  resource: Resource,
  name: string,
  { labels }: Partial<ObjectMeta>,
): Pick<ObjectMeta, 'labels'> {
  return resource === namespaces ? { labels: { ...labels, 'kubernetes.io/metadata.name': name } } : {};
}

/** An empty map or list is stored as none: `test /metadata/labels = null` depends on it. */
function withoutEmpty<T extends Partial<ObjectMeta>>(metadata: T): T {
  const filled = Object.entries(metadata).filter(
    ([, value]) => value != null && (typeof value !== 'object' || Object.keys(value).length > 0),
  );
  return Object.fromEntries(filled) as T;
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
    throw badRequest('the name or namespace of the object does not match the one on the URL');
  }
  if (!isDeepStrictEqual(current.roleRef, next.roleRef)) {
    const shown = JSON.stringify(next.roleRef);
    throw invalid(resource, name, 'roleRef', `Invalid value: ${shown}: field is immutable`);
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
  const { status: _status, ...content } = next;
  const metadata = {
    ...withoutEmpty(own),
    uid,
    resourceVersion,
    creationTimestamp,
    ...(managedFields === undefined ? {} : { managedFields }),
    ...(generation === undefined ? {} : { generation: generation + (specChanged ? 1 : 0) }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(deletionGracePeriodSeconds === undefined ? {} : { deletionGracePeriodSeconds }),
  };
  // The status is written by controllers, through a subresource that is not modelled.
  const status = current.status === undefined ? {} : { status: current.status };
  return { ...content, ...status, apiVersion: current.apiVersion, kind: current.kind, metadata };
}

function finished({ metadata }: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers = [] } = metadata;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && finalizers.length === 0;
}
