// Watch requests: from now, or from a resource version whose history is still there.
import type { Call, Streaming, Target } from './call.ts';
import { selectorOf } from './list.ts';
import type { KubeObject } from './objects.ts';
import { metadataOnly, wantsMetadataOnly } from './representation.ts';
import { apiVersion } from './resources.ts';
import { ApiError, badRequest, expired, notModelled } from './status.ts';
import type { StoreEvent } from './store.ts';

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

export function watchObjects(call: Call, target: Target): Streaming {
  const { world, query } = call;
  if (query.has('sendInitialEvents')) throw notModelled('watches with sendInitialEvents');
  const matches = selectorOf(call, target);
  const from = versionOf(query.get('resourceVersion') ?? '');
  const seconds = secondsOf(query.get('timeoutSeconds'));
  const inScope = (event: StoreEvent): boolean =>
    event.resource === target.resource &&
    (target.namespace === undefined || event.object.metadata.namespace === target.namespace) &&
    (target.name === undefined || event.object.metadata.name === target.name);
  // Refuse what cannot be represented before the stream has begun.
  const partial = wantsMetadataOnly(call.headers.accept, 'PartialObjectMetadata');
  const show = (object: KubeObject): unknown => (partial ? metadataOnly(object) : object);

  return {
    run(write, end) {
      const send = (event: StoreEvent): void => {
        const type = inScope(event) ? typeInView(event, matches) : undefined;
        if (type !== undefined) write({ type, object: show(event.object) });
      };
      const missed = from === '' || from === '0' ? existing() : world.store.eventsSince(Number(from));
      if (missed === undefined) {
        const { body } = expired(`too old resource version: ${from} (${world.store.revision})`);
        write({ type: 'ERROR', object: body });
        end();
        return () => {};
      }
      for (const event of missed) send(event);
      const bookmarks = query.get('allowWatchBookmarks') === 'true';
      if (bookmarks) write(bookmark());
      const stop = world.store.subscribe(send);
      const timer = setTimeout(() => {
        if (bookmarks) write(bookmark());
        end();
      }, seconds * 1000).unref();
      return () => {
        clearTimeout(timer);
        stop();
      };
    },
  };

  function existing(): StoreEvent[] {
    return world.store.list(target.resource, target.namespace).map((object) => ({
      type: 'ADDED',
      revision: Number(object.metadata.resourceVersion),
      resource: target.resource,
      object,
    }));
  }

  function bookmark(): unknown {
    const type = partial
      ? { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' }
      : { kind: target.resource.kind, apiVersion: apiVersion(target.resource) };
    const metadata = { resourceVersion: String(world.store.revision) };
    return { type: 'BOOKMARK', object: { ...type, metadata } };
  }
}
