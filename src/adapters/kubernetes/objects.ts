// Reads and writes objects by their REST paths, so that a new kind needs no new code, and keeps Secret values off the wire.
import { setImmediate } from 'node:timers/promises';
import { COPY_REMOVED, isCopy } from '../../domain/kubernetes/annotations.ts';
import { type Resource, resources } from '../../domain/kubernetes/resources.ts';
import type { SecretContent } from '../../domain/situation/copies.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Cluster, DeleteOptions, JsonPatch, KubernetesObject, ObjectRef } from '../../ports/cluster.ts';
import type { Call } from './call.ts';
import type { Api } from './request.ts';

const PAGE = '500';
/** Each may hold 1 MiB, and they come with their values. */
const SECRETS_PAGE = '50';
const ONE = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const MANY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

interface Page<T> {
  items?: T[];
  metadata?: { continue?: string };
}

interface AccessReview {
  status?: { allowed?: boolean };
}

const reviews = { resource: resources.accessReviews };

export function createObjects(
  api: Api,
): Pick<
  Cluster,
  | 'get'
  | 'list'
  | 'searchSecrets'
  | 'may'
  | 'create'
  | 'patch'
  | 'tryCreate'
  | 'tryPatch'
  | 'remove'
  | 'evict'
> {
  return {
    async get<T extends KubernetesObject>(ref: ObjectRef, options: { metadataOnly?: boolean } = {}) {
      const call = { verb: 'get', ...target(ref, ref.name) } as const;
      try {
        if (!options.metadataOnly) return await api.send<T>(call);
        return onlyMetadata(await api.send<T>({ ...call, accept: ONE }));
      } catch (error) {
        if (isAppError(error, 'not-found')) return null;
        throw error;
      }
    },
    ...createLists(api),
    may: async (resourceAttributes) => {
      const kind = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview' };
      const body = { ...kind, spec: { resourceAttributes } };
      const { status }: AccessReview = await api.send({ verb: 'create', ...target(reviews), body });
      return status && status.allowed === true;
    },
    create: (where, body) => api.send({ verb: 'create', ...target(where), body }),
    async patch(ref, patch) {
      return onlyMetadata(await api.send(patchOf(ref, patch)));
    },
    async tryCreate(where, body) {
      await api.send({ verb: 'create', ...target(where), query: DRY, body });
    },
    async tryPatch(ref, patch) {
      await api.send({ ...patchOf(ref, patch), query: DRY });
    },
    async remove(ref, options) {
      await api.send({ verb: 'delete', ...target(ref, ref.name), body: deleteOptions(options), accept: ONE });
    },
    async evict({ namespace, name }, options) {
      const pod = target({ resource: resources.pods, namespace }, name);
      await api.send({
        verb: 'create',
        ...pod,
        resource: 'pods/eviction',
        path: `${pod.path}/eviction`,
        body: {
          apiVersion: 'policy/v1',
          kind: 'Eviction',
          metadata: { name, namespace },
          deleteOptions: deleteOptions(options),
        },
      });
    },
  };
}

const DRY = { dryRun: 'All' };

const patchOf = (ref: ObjectRef, patch: JsonPatch): Call => ({
  verb: 'patch',
  ...target(ref, ref.name),
  body: patch,
  contentType: 'application/json-patch+json',
  accept: ONE,
});

function createLists(api: Api): Pick<Cluster, 'list' | 'searchSecrets'> {
  return {
    async list<T extends KubernetesObject>({
      labelSelector,
      fieldSelector,
      metadataOnly,
      ...where
    }: ListArguments) {
      const call: Call = {
        verb: 'list',
        ...target(where),
        query: { labelSelector, fieldSelector, limit: PAGE },
      };
      if (metadataOnly) call.accept = MANY;
      const items = await all(() => pages<T, T>(api, call, (item) => [item]));
      return metadataOnly ? items.map(onlyMetadata) : items;
    },
    async searchSecrets({ namespace, fieldSelector }, look) {
      const call: Call = {
        verb: 'list',
        ...target({ resource: resources.secrets, namespace }),
        query: { fieldSelector, limit: SECRETS_PAGE },
      };
      // Looking into a big one takes a moment, in which nothing else is done: between them others have their turn.
      const inTurn = async (secret: SecretContent) => {
        await setImmediate();
        return look(secret);
      };
      return await all(() => pages(api, call, inTurn));
    },
  };
}

type ListArguments = Parameters<Cluster['list']>[0];

/** Starts once more where what was begun is too old to be continued. */
const all = <T>(read: () => Promise<T>): Promise<T> =>
  read().catch((error) => {
    if (!isAppError(error, 'gone')) throw error;
    return read();
  });

/** One page at a time is held, and of each item only what is taken. */
async function pages<T, R>(api: Api, call: Call, take: (item: T) => R[] | Promise<R[]>): Promise<R[]> {
  const taken: R[] = [];
  let next: string | undefined;
  do {
    const page: Page<T> = await api.send({ ...call, query: { ...call.query, continue: next } });
    for (const item of page.items ?? []) taken.push(...(await take(item)));
    next = page.metadata?.continue || undefined;
  } while (next !== undefined);
  return taken;
}

function deleteOptions({ uid, resourceVersion, gracePeriodSeconds }: DeleteOptions): unknown {
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    ...((uid !== undefined || resourceVersion !== undefined) && { preconditions: { uid, resourceVersion } }),
    ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
  };
}

/** Also where the server ignored what was asked for. */
function onlyMetadata<T extends KubernetesObject>(object: T): T {
  const { annotations, ...rest } = object.metadata;
  const shown = Object.entries(annotations ?? {}).map(([key, value]) => [
    key,
    isCopy(key, value) ? COPY_REMOVED : value,
  ]);
  const metadata = annotations ? { ...rest, annotations: Object.fromEntries(shown) } : rest;
  return { apiVersion: object.apiVersion, kind: object.kind, metadata } as T;
}

function target(where: { resource: Resource; namespace?: string }, name?: string) {
  const { group, version, plural, namespaced } = where.resource;
  const namespace = namespaced ? where.namespace : undefined;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = namespace === undefined ? '' : `/namespaces/${segment(namespace)}`;
  const object = name === undefined ? '' : `/${segment(name)}`;
  return { resource: plural, namespace, name, path: `${root}${scope}/${plural}${object}` };
}

/** An empty name or `..` would address the whole collection, and names may come from a token that nobody signed. */
export function segment(name: string): string {
  if (name === '' || name === '.' || name === '..' || /[/%\s]/.test(name))
    throw new AppError(
      'bad-input',
      `${JSON.stringify(name)} cannot be the name of a Kubernetes object. Check the name.`,
    );
  return encodeURIComponent(name);
}
