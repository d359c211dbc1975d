// Watches: what is there, what changes, resuming without loss, and metadata without any value.
import { describe, expect, test } from 'vitest';
import { type Api, eventually, MERGE_PATCH, METADATA_ONLY, type Watching } from './api.ts';
import { openRoom } from './room.ts';

const told = ({ events }: Watching): string[] =>
  events.map(({ type, object }) => `${type} ${object.metadata?.name ?? ''}`.trim());

export function watches(api: () => Api): void {
  describe('a watch', () => {
    test('tells what is there and then what changes, in its namespace only', async () => {
      const [room, elsewhere] = [await openRoom(api()), await openRoom(api())];
      await room.create('secrets', 'old');
      const watching = await api().watch(room.at('secrets'), {});
      await eventually(() => expect(told(watching)).toEqual(['ADDED old']));
      await elsewhere.create('secrets', 'elsewhere');
      await room.create('secrets', 'new');
      const body = { metadata: { labels: { a: 'b' } } };
      const patch = await api().ask('PATCH', room.at('secrets', 'old'), { body, type: MERGE_PATCH });
      await room.remove('secrets', 'new');
      await eventually(() =>
        expect(told(watching)).toEqual(['ADDED old', 'ADDED new', 'MODIFIED old', 'DELETED new']),
      );
      expect(watching.events[2]?.object).toEqual(patch.body);
      const [, added, , deleted] = watching.events.map(({ object }) => object.metadata);
      expect(Number(deleted?.resourceVersion)).toBeGreaterThan(Number(added?.resourceVersion));
      watching.stop();
    });

    test('resumes from a resource version without loss or repetition', async () => {
      const room = await openRoom(api());
      const { resourceVersion } = (await room.create('secrets', 'before')).metadata;
      await room.create('secrets', 'missed');
      await room.remove('secrets', 'before');
      const watching = await api().watch(room.at('secrets'), { resourceVersion });
      await eventually(() => expect(told(watching)).toEqual(['ADDED missed', 'DELETED before']));
      await room.create('secrets', 'later');
      await eventually(() => expect(told(watching).slice(2)).toEqual(['ADDED later']));
      watching.stop();
    });

    test('starts where a list ended', async () => {
      const room = await openRoom(api());
      await room.create('secrets', 'listed');
      const { resourceVersion } = (await api().ask('GET', room.at('secrets'))).body.metadata;
      const watching = await api().watch(room.at('secrets'), { resourceVersion });
      await room.create('secrets', 'new');
      await eventually(() => expect(told(watching)).toEqual(['ADDED new']));
      watching.stop();
    });

    test('calls it DELETED when an object leaves the view of the selector', async () => {
      const room = await openRoom(api());
      await room.create('secrets', 'web', { metadata: { labels: { app: 'web' } } });
      await room.create('secrets', 'api', { metadata: { labels: { app: 'api' } } });
      const watching = await api().watch(room.at('secrets'), { labelSelector: 'app=web' });
      for (const app of ['api', 'web']) {
        const body = { metadata: { labels: { app } } };
        await api().ask('PATCH', room.at('secrets', 'web'), { body, type: MERGE_PATCH });
      }
      await eventually(() => expect(told(watching)).toEqual(['ADDED web', 'DELETED web', 'ADDED web']));
      watching.stop();
    });

    test('of one object tells of it alone', async () => {
      const room = await openRoom(api());
      await room.create('secrets', 'one');
      await room.create('secrets', 'two');
      const watching = await api().watch(room.at('secrets'), { fieldSelector: 'metadata.name=two' });
      await room.remove('secrets', 'one');
      await room.remove('secrets', 'two');
      await eventually(() => expect(told(watching)).toEqual(['ADDED two', 'DELETED two']));
      watching.stop();
    });

    test('shows metadata alone on request', async () => {
      const room = await openRoom(api());
      await room.create('secrets', 'one', { stringData: { password: 'x' } });
      const watching = await api().watch(room.at('secrets'), {}, METADATA_ONLY);
      await room.remove('secrets', 'one');
      await eventually(() => expect(told(watching)).toEqual(['ADDED one', 'DELETED one']));
      for (const { object } of watching.events) {
        expect(object).toMatchObject({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' });
        expect(Object.keys(object).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
      }
      watching.stop();
    });

    test('ends when its time is over, and says how far it got where bookmarks are asked for', async () => {
      const room = await openRoom(api());
      const { resourceVersion } = (await room.create('secrets', 'one')).metadata;
      const plain = await api().watch(room.at('secrets'), { timeoutSeconds: '1' });
      await plain.ended;
      expect(told(plain)).toEqual(['ADDED one']);
      const query = { timeoutSeconds: '2', allowWatchBookmarks: 'true' };
      const marked = await api().watch(room.at('secrets'), query);
      await marked.ended;
      expect(told(marked).slice(0, 2)).toEqual(['ADDED one', 'BOOKMARK']);
      const { kind, metadata } = marked.events[1]?.object ?? { metadata: undefined };
      expect(kind).toBe('Secret');
      expect(Number(metadata?.resourceVersion)).toBeGreaterThanOrEqual(Number(resourceVersion));
    });

    test('is refused for a time or a version that cannot be read', async () => {
      const room = await openRoom(api());
      const ask = (query: string) => api().ask('GET', `${room.at('secrets')}?watch=true&${query}`);
      expect((await ask('timeoutSeconds=0.5')).status).toBe(400);
      expect((await ask('timeoutSeconds=1&resourceVersion=garbage')).status).toBe(500);
    });
  });
}
