// Deployments as far as a restart needs them: Pods that start, that are replaced when the template changes, and that go with their owner.
import { describe, expect, test } from 'vitest';
import { type Api, type Body, eventually, MERGE_PATCH, STRATEGIC_PATCH } from './api.ts';
import { containers, openRoom, type Room } from './room.ts';

const RESTARTED = { 'kubectl.kubernetes.io/restartedAt': '2026-11-24T03:00:00Z' };

const deployment = (replicas: number, serviceAccountName = 'default') => ({
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { serviceAccountName, containers } },
  },
});

const podsOf = async (room: Room): Promise<Body[]> =>
  (await room.api.ask('GET', `${room.at('pods')}?labelSelector=app%3Dweb`)).body.items;
const uids = (objects: Body[]): string[] => objects.map(({ metadata }) => metadata.uid);

/** As `kubectl rollout status` does: the controller has seen the newest spec, and no old replica is left. */
const rolledOut = (room: Room): Promise<Body> =>
  eventually(async () => {
    const found = await room.read('deployments', 'web');
    const {
      observedGeneration,
      replicas = 0,
      updatedReplicas = 0,
      availableReplicas = 0,
    } = found.status ?? {};
    const wanted = found.spec?.replicas;
    expect([observedGeneration, replicas, updatedReplicas, availableReplicas]).toEqual([
      found.metadata.generation,
      wanted,
      wanted,
      wanted,
    ]);
    return found;
  });

const patch = (room: Room, body: object, type = MERGE_PATCH) =>
  room.api.ask('PATCH', room.at('deployments', 'web'), { body, type });

export function workloads(api: () => Api): void {
  describe('a Deployment', () => {
    test('starts Pods that are owned, scheduled, running and ready', async () => {
      const room = await openRoom(api());
      const { metadata } = await room.create('deployments', 'web', deployment(2));
      await rolledOut(room);
      const [set] = (await api().ask('GET', room.at('replicasets'))).body.items;
      expect(set?.metadata.ownerReferences).toMatchObject([
        { kind: 'Deployment', name: 'web', uid: metadata.uid, controller: true },
      ]);
      const pods = await podsOf(room);
      expect(pods).toHaveLength(2);
      for (const { metadata: pod, spec, status } of pods) {
        expect(pod.ownerReferences).toMatchObject([
          { kind: 'ReplicaSet', name: set?.metadata.name, uid: set?.metadata.uid, controller: true },
        ]);
        expect(pod.name).toMatch(/^web-[a-z0-9]+-[a-z0-9]{5}$/);
        expect(spec?.nodeName).toBeTruthy();
        expect(status?.phase).toBe('Running');
        const ready = status?.conditions?.find(({ type }) => type === 'Ready');
        expect(ready?.status).toBe('True');
      }
    });

    test.each([MERGE_PATCH, STRATEGIC_PATCH])('replaces every Pod when restarted (%s)', async (type) => {
      const room = await openRoom(api());
      await room.create('deployments', 'web', deployment(2));
      await rolledOut(room);
      const before = uids(await podsOf(room));
      const restart = { spec: { template: { metadata: { annotations: RESTARTED } } } };
      expect((await patch(room, restart, type)).body.metadata.generation).toBe(2);
      await rolledOut(room);
      await eventually(async () => {
        const after = await podsOf(room);
        expect(after).toHaveLength(2);
        expect(uids(after).filter((uid) => before.includes(uid))).toEqual([]);
        expect(after[0]?.metadata.annotations).toMatchObject(RESTARTED);
      });
    });

    test('leaves its Pods alone when only its own metadata changes, or while it is paused', async () => {
      const room = await openRoom(api());
      await room.create('deployments', 'web', deployment(1));
      await rolledOut(room);
      const before = uids(await podsOf(room));
      await patch(room, { metadata: { labels: { a: 'b' } } });
      await patch(room, { spec: { paused: true } });
      const restart = { spec: { template: { metadata: { annotations: RESTARTED } } } };
      const { generation } = (await patch(room, restart)).body.metadata;
      await eventually(async () => {
        const { status } = await room.read('deployments', 'web');
        expect(status?.observedGeneration).toBe(generation);
      });
      expect(uids(await podsOf(room))).toEqual(before);
      await patch(room, { spec: { paused: null } });
      await rolledOut(room);
      await eventually(async () => {
        const after = uids(await podsOf(room));
        expect(after).toHaveLength(1);
        expect(after).not.toEqual(before);
      });
    });

    test('replaces a Pod that was deleted, and waits for its ServiceAccount to do so', async () => {
      const room = await openRoom(api());
      await room.create('serviceaccounts', 'bot');
      await room.create('deployments', 'web', deployment(1, 'bot'));
      await rolledOut(room);
      const [before] = await podsOf(room);
      const name = before?.metadata.name ?? '';
      await room.remove('serviceaccounts', 'bot');
      await room.remove('pods', name, { gracePeriodSeconds: 0 });
      await room.gone('pods', name);
      expect(await podsOf(room)).toEqual([]);
      await room.create('serviceaccounts', 'bot');
      await eventually(async () => {
        const after = await podsOf(room);
        expect(after.map(({ status }) => status?.phase)).toEqual(['Running']);
        expect(uids(after)).not.toEqual([before?.metadata.uid]);
      });
    });

    test('takes its Pods along', async () => {
      const room = await openRoom(api());
      await room.create('deployments', 'web', deployment(2));
      await rolledOut(room);
      const { status, body } = await room.remove('deployments', 'web');
      expect([status, body.kind]).toEqual([200, 'Status']);
      await eventually(async () => expect(await podsOf(room)).toEqual([]));
      await eventually(async () =>
        expect((await api().ask('GET', room.at('replicasets'))).body.items).toEqual([]),
      );
    });

    test('scales', async () => {
      const room = await openRoom(api());
      await room.create('deployments', 'web', deployment(0));
      await rolledOut(room);
      await patch(room, { spec: { replicas: 3 } });
      await rolledOut(room);
      expect(await podsOf(room)).toHaveLength(3);
    });
  });
}
