// How objects go: what DELETE answers, grace periods, finalizers, namespaces with all that is in them.
import { describe, expect, test } from 'vitest';
import { type Api, eventually, MERGE_PATCH, METADATA_ONLY } from './api.ts';
import { containers, openRoom, RUN } from './room.ts';

const HOLD = 'example.test/hold';

export function removal(api: () => Api): void {
  describe('deleting', () => {
    test('answers a Status for a Secret, and the object for a ServiceAccount', async () => {
      const room = await openRoom(api());
      const { uid } = (await room.create('secrets', 'one')).metadata;
      expect(await room.remove('secrets', 'one')).toMatchObject({
        status: 200,
        body: {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Success',
          details: { name: 'one', kind: 'secrets', uid },
        },
      });
      await room.create('serviceaccounts', 'bot');
      const gone = await room.remove('serviceaccounts', 'bot');
      expect(gone).toMatchObject({
        status: 200,
        body: { kind: 'ServiceAccount', metadata: { name: 'bot' } },
      });
      expect(await room.exists('serviceaccounts', 'bot')).toBe(false);
    });

    test('answers metadata alone on request, so that no value comes back', async () => {
      const room = await openRoom(api());
      await room.create('secrets', 'one', { metadata: { finalizers: [HOLD] }, stringData: { a: 'b' } });
      await room.create('secrets', 'two', { stringData: { a: 'b' } });
      const remove = (name: string) =>
        api().ask('DELETE', room.at('secrets', name), { accept: METADATA_ONLY });
      const marked = await remove('one');
      expect(marked).toMatchObject({ status: 200, body: { kind: 'PartialObjectMetadata' } });
      expect(marked.body).not.toHaveProperty('data');
      expect(await remove('two')).toMatchObject({ status: 200, body: { kind: 'Status' } });
    });

    test('with fitting preconditions works once', async () => {
      const room = await openRoom(api());
      const { uid, resourceVersion } = (await room.create('secrets', 'one')).metadata;
      const preconditions = { uid, resourceVersion };
      expect((await room.remove('secrets', 'one', { preconditions })).status).toBe(200);
      expect((await room.remove('secrets', 'one', { preconditions })).status).toBe(404);
    });
  });

  describe('a finalizer', () => {
    test('holds the object, its name with it, until it is taken off', async () => {
      const room = await openRoom(api());
      const { uid } = (await room.create('serviceaccounts', 'bot', { metadata: { finalizers: [HOLD] } }))
        .metadata;
      const marked = await room.remove('serviceaccounts', 'bot');
      expect(marked.body.metadata).toMatchObject({ uid, deletionGracePeriodSeconds: 0 });
      expect(Date.parse(marked.body.metadata.deletionTimestamp ?? '')).not.toBeNaN();
      const body = { metadata: { name: 'bot' } };
      expect(await api().ask('POST', room.at('serviceaccounts'), { body })).toMatchObject({
        status: 409,
        body: {
          reason: 'AlreadyExists',
          message: 'object is being deleted: serviceaccounts "bot" already exists',
        },
      });
      const again = await room.remove('serviceaccounts', 'bot');
      expect(again.body.metadata.deletionTimestamp).toBe(marked.body.metadata.deletionTimestamp);
      const patch = { body: { metadata: { finalizers: null } }, type: MERGE_PATCH };
      expect((await api().ask('PATCH', room.at('serviceaccounts', 'bot'), patch)).status).toBe(200);
      expect(await room.exists('serviceaccounts', 'bot')).toBe(false);
      expect((await room.create('serviceaccounts', 'bot')).metadata.uid).not.toBe(uid);
    });
  });

  describe('a grace period', () => {
    test('marks a Pod whose kubelet does not answer, and force removes it', async () => {
      const room = await openRoom(api());
      const { pod } = await room.strandedPod('worker');
      const marked = await room.remove('pods', 'worker', { gracePeriodSeconds: 40 });
      const { uid, deletionTimestamp = '', deletionGracePeriodSeconds } = marked.body.metadata;
      expect([marked.status, uid, deletionGracePeriodSeconds]).toEqual([200, pod.metadata.uid, 40]);
      expect(Date.parse(deletionTimestamp)).toBeGreaterThanOrEqual(
        Date.parse(pod.metadata.creationTimestamp ?? '') + 40_000,
      );
      expect((await room.remove('pods', 'worker', { gracePeriodSeconds: 0 })).status).toBe(200);
      expect(await room.exists('pods', 'worker')).toBe(false);
    });

    test('can be made shorter, counted from the first request, and not longer', async () => {
      const room = await openRoom(api());
      await room.strandedPod('worker');
      const ends = async (body?: object): Promise<number> => {
        const { metadata } = (await room.remove('pods', 'worker', body)).body;
        return Date.parse(metadata.deletionTimestamp ?? '');
      };
      const first = await ends({ gracePeriodSeconds: 600 });
      expect(await ends({ gracePeriodSeconds: 700 })).toBe(first);
      // Without one, a second request asks for nothing new, whatever the Pod's own grace period is.
      expect(await ends()).toBe(first);
      expect(await ends({ gracePeriodSeconds: 60 })).toBe(first - 540_000);
    });

    test('defaults to the one that the Pod states', async () => {
      const room = await openRoom(api());
      await room.strandedPod('worker');
      expect((await room.remove('pods', 'worker')).body.metadata.deletionGracePeriodSeconds).toBe(30);
      const { metadata } = await room.make('/api/v1/nodes', {
        metadata: { name: `${room.namespace}-node`, labels: RUN },
      });
      const spec = { nodeName: metadata.name, terminationGracePeriodSeconds: 90, containers };
      await room.create('pods', 'slow', { spec });
      expect((await room.remove('pods', 'slow')).body.metadata.deletionGracePeriodSeconds).toBe(90);
    });
  });

  describe('a namespace', () => {
    test('has a default ServiceAccount, which comes back with another UID', async () => {
      const room = await openRoom(api());
      const { uid } = (await room.read('serviceaccounts', 'default')).metadata;
      await room.remove('serviceaccounts', 'default', { preconditions: { uid } });
      await eventually(async () => {
        const { status, body } = await api().ask('GET', room.at('serviceaccounts', 'default'));
        expect(status).toBe(200);
        expect(body.metadata.uid).not.toBe(uid);
      });
    });

    test('takes everything in it along', async () => {
      const room = await openRoom(api());
      const path = `/api/v1/namespaces/${room.namespace}`;
      await room.create('secrets', 'one');
      expect((await api().ask('GET', path)).body).toMatchObject({
        metadata: { labels: { 'kubernetes.io/metadata.name': room.namespace } },
        status: { phase: 'Active' },
      });
      const { status, body } = await api().ask('DELETE', path);
      expect([status, body.kind, body.status?.phase]).toEqual([200, 'Namespace', 'Terminating']);
      await eventually(async () => expect((await api().ask('GET', path)).status).toBe(404));
      expect(await room.exists('secrets', 'one')).toBe(false);
      expect(await room.exists('serviceaccounts', 'default')).toBe(false);
    });
  });
}
