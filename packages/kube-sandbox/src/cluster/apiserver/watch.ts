// Watch requests: from now, or from a resource version whose history is still there.

import type { KubeObject } from '../apimachinery/objects.ts';
import { metadataOnly, wantsMetadataOnly } from '../apimachinery/representation.ts';
import { apiVersion } from '../apimachinery/resources.ts';
import { ApiError, badRequest, expired, notModelled } from '../apimachinery/status.ts';
import type { StoreEvent } from '../storage/store.ts';
import type { Call, Streaming, Target } from './call.ts';
import { selectorOf } from './list.ts';

const DEFAULT_SECONDS = 1_800;

/** A changed object may enter or leave the view of a selector: to the watcher that is ADDED or DELETED. */
function typeInView(
  event: StoreEvent,
  matches: (object: KubeObject) => boolean,
): StoreEvent['type'] | undefined {
  const was = event.previous !== undefined && matches(event.previous);
  const is = event.type !== 'DELETED' && matches(event.object);
  if (is) return was ? 'MODIFIED' : 'ADDED';
  return was ? 'DELETED' : undefined;
}

function versionOf(text: string): string {
  if (/^\d*$/.test(text)) return text;
  const why = `resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`;
  throw new ApiError(500, 'InternalError', why);
}

function secondsOf(text: string | null): number {
  if (text === null) return DEFAULT_SECONDS;
  if (!/^\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  return Number(text) || DEFAULT_SECONDS;
}

/** What one watch shows: the events of which objects, and in which form. */
interface View {
  isIn(event: StoreEvent): boolean;
  show(object: KubeObject): unknown;
  bookmark(): unknown;
}

function viewOf(call: Call, target: Target): View {
  const { resource, namespace, name } = target;
  const partial = wantsMetadataOnly(call.headers.accept, 'PartialObjectMetadata');
  const type = partial
    ? { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' }
    : { kind: resource.kind, apiVersion: apiVersion(resource) };
  return {
    isIn: ({ resource: changed, object: { metadata } }) =>
      changed === resource &&
      (namespace === undefined || metadata.namespace === namespace) &&
      (name === undefined || metadata.name === name),
    show: (object) => (partial ? metadataOnly(object) : object),
    bookmark: () => ({
      type: 'BOOKMARK',
      object: { ...type, metadata: { resourceVersion: String(call.world.store.revision) } },
    }),
  };
}

function existing({ world }: Call, { resource, namespace }: Target): StoreEvent[] {
  return world.store.list(resource, namespace).map((object) => ({
    type: 'ADDED',
    revision: Number(object.metadata.resourceVersion),
    resource,
    object,
  }));
}

export function watchObjects(call: Call, target: Target): Streaming {
  const { store } = call.world;
  const { query } = call;
  if (query.has('sendInitialEvents')) throw notModelled('watches with sendInitialEvents');
  const matches = selectorOf(call, target);
  const from = versionOf(query.get('resourceVersion') ?? '');
  const seconds = secondsOf(query.get('timeoutSeconds'));
  // Refuses what cannot be represented before the stream has begun.
  const view = viewOf(call, target);

  return {
    run(write, end) {
      const send = (event: StoreEvent): void => {
        const type = view.isIn(event) ? typeInView(event, matches) : undefined;
        if (type !== undefined) write({ type, object: view.show(event.object) });
      };
      const missed = from === '' || from === '0' ? existing(call, target) : store.eventsSince(Number(from));
      if (missed === undefined) {
        const { body } = expired(`too old resource version: ${from} (${store.revision})`);
        write({ type: 'ERROR', object: body });
        end();
        return () => {};
      }
      for (const event of missed) send(event);
      const bookmarks = query.get('allowWatchBookmarks') === 'true';
      if (bookmarks) write(view.bookmark());
      const stop = store.subscribe(send);
      const timer = setTimeout(() => {
        if (bookmarks) write(view.bookmark());
        end();
      }, seconds * 1000).unref();
      return () => {
        clearTimeout(timer);
        stop();
      };
    },
  };
}
