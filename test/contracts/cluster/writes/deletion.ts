// delete-token-secret and delete-bound-pod on a cluster that changes between alert and kill: the UID decides, and the token.
import { describe, expect, test } from 'vitest';
import { type Api, eventually } from '../api.ts';
import { containers, openRoom } from '../room.ts';
import { CHANGES, heldBy, LABELS, leak, untouched } from './leak.ts';
import { employ } from './product.ts';

const SECRET = 'delete-token-secret';
const POD = 'delete-bound-pod';
const LEEWAY_MS = 60_000;
const CACHE_MS = 10_000;

const refTo = (kind: string, { metadata }: { metadata: { name: string; uid: string } }) => ({
  apiVersion: 'v1',
  kind,
  name: metadata.name,
  uid: metadata.uid,
});

export function deletion(api: () => Api): void {
  describe.each(LABELS)(`${SECRET} on a Secret %s`, (_case, labels) => {
    test.each([
      ['in hand', true],
      ['not in hand', false],
    ])('kills the leaked token, which is %s, twice without harm', async (_inHand, inHand) => {
      const room = await openRoom(api());
      const [leaked, product] = [await leak(room, labels), await employ(room)];
      const { uid } = (await room.read('secrets', 'token')).metadata;
      const params = { namespace: room.namespace, secret: 'token', uid, holds: 'legacy' };
      const token = inHand ? leaked : undefined;
      expect(await product.verify(SECRET, params, token)).toBe('not-done');
      expect((await product.run(SECRET, params, token)).verdict).toBe('done');
      expect(await room.exists('secrets', 'token')).toBe(false);
      expect((await product.run(SECRET, params, token)).verdict).toBe('done');
      await room.dies(leaked);
    });

    test.each(CHANGES)('which %s: touches no other token', async (_change, change) => {
      const room = await openRoom(api());
      const [leaked, product] = [await leak(room, labels), await employ(room)];
      const { uid } = (await room.read('secrets', 'token')).metadata;
      await change(room, labels);
      const { namespace } = room;
      const run = (token?: string) =>
        product.run(SECRET, { namespace, secret: 'token', uid, holds: 'legacy' }, token);
      const held = await heldBy(room);
      const sameSecret = (await room.read('secrets', 'token')).metadata.uid === uid;
      if (held === leaked && sameSecret) {
        expect((await run(leaked)).verdict).toBe('done');
        expect(await room.exists('secrets', 'token')).toBe(false);
      } else {
        // Not done even where the old Secret is gone: its successor may hold the leaked token again.
        await untouched(room, 'secrets', 'token', async () => {
          expect((await run(leaked)).verdict).toBe('not-done');
        });
      }
      // A Secret of another UID is never deleted; where the leaked token came back in it, its value finds it.
      if (held === leaked && !sameSecret) {
        const params = { namespace, secret: 'token' };
        expect((await product.run('quarantine-token', params, leaked)).verdict).toBe('done');
      }
      await room.dies(leaked);
      if (held !== undefined && held !== leaked) await room.lives(held);
    });
  });

  boundSecret(api);
  boundPod(api);
}

function boundSecret(api: () => Api): void {
  describe(`${SECRET} for a token bound to it`, () => {
    test('kills the token, and no Secret that took its name', async () => {
      const room = await openRoom(api());
      await room.create('serviceaccounts', 'bot');
      const first = await room.create('secrets', 'anchor');
      const leaked = await room.token('bot', { boundObjectRef: refTo('Secret', first) });
      const product = await employ(room);
      const { uid } = first.metadata;
      const params = { namespace: room.namespace, secret: 'anchor', uid, holds: 'bound' };
      expect((await product.run(SECRET, params, leaked)).verdict).toBe('done');
      await room.dies(leaked);
      const second = await room.create('secrets', 'anchor');
      const healthy = await room.token('bot', { boundObjectRef: refTo('Secret', second) });
      await untouched(room, 'secrets', 'anchor', async () => {
        expect((await product.run(SECRET, params, leaked)).verdict).toBe('done');
      });
      await room.lives(healthy);
    });
  });
}

function boundPod(api: () => Api): void {
  describe(POD, () => {
    test('kills the token of a Pod, whose successor is not touched', async () => {
      const room = await openRoom(api());
      const product = await employ(room);
      const labels = { app: 'web' };
      const template = { metadata: { labels }, spec: { containers } };
      const spec = { replicas: 1, selector: { matchLabels: labels }, template };
      await room.create('deployments', 'web', { spec });
      const running = () =>
        eventually(async () => {
          const { items } = (await api().ask('GET', `${room.at('pods')}?labelSelector=app%3Dweb`)).body;
          const live = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
          expect(live.map(({ status }) => status?.phase)).toEqual(['Running']);
          return live[0] as (typeof live)[number];
        });
      const pod = await running();
      const leaked = await room.token('default', { boundObjectRef: refTo('Pod', pod) });
      const { name, uid } = pod.metadata;
      const params = { namespace: room.namespace, pod: name, uid, gracePeriodSeconds: 1 };
      expect(await product.verify(POD, params, leaked)).toBe('not-done');
      expect((await product.run(POD, params, leaked)).verdict).toBe('done');
      await room.gone('pods', name, uid);
      await room.dies(leaked);
      const successor = await running();
      const healthy = await room.token('default', { boundObjectRef: refTo('Pod', successor) });
      expect((await product.run(POD, params, leaked)).verdict).toBe('done');
      expect((await running()).metadata.uid).toBe(successor.metadata.uid);
      await room.lives(healthy);
    });

    test('says until when the token may live where the Pod does not go, and spares another of its name', async () => {
      const room = await openRoom(api());
      const [{ pod }, product] = [await room.strandedPod('worker'), await employ(room)];
      const leaked = await room.token('default', { boundObjectRef: refTo('Pod', pod) });
      const { uid } = pod.metadata;
      const params = { namespace: room.namespace, pod: 'worker', uid, gracePeriodSeconds: 1 };
      const { verdict, facts } = await product.run(POD, params, leaked);
      const { deletionTimestamp = '' } = (await room.read('pods', 'worker')).metadata;
      expect(verdict).toBe('done');
      expect(facts?.latest).toBe(
        new Date(Date.parse(deletionTimestamp) + LEEWAY_MS + CACHE_MS).toISOString(),
      );
      await room.remove('pods', 'worker', { gracePeriodSeconds: 0 });
      await room.dies(leaked);
      const { pod: second } = await room.strandedPod('worker');
      const healthy = await room.token('default', { boundObjectRef: refTo('Pod', second) });
      await untouched(room, 'pods', 'worker', async () => {
        expect((await product.run(POD, params, leaked)).verdict).toBe('done');
      });
      await room.lives(healthy);
    });
  });
}
