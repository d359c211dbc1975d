// Two clusters that share a signing key and UIDs, as after a restore: a leaked token is alive on both, and is killed on each.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../../../src/secret.ts';
import { type Api, openApi } from '../api.ts';
import { openRoom, type Room, roomIn } from '../room.ts';
import { ownOf } from '../subject.ts';
import { leak, untouched } from './leak.ts';
import { closeAll, connect, employ, type Product } from './product.ts';

interface Scene {
  original: Room;
  product: Product;
  clone: Room;
  onClone: Product;
  uid: string;
  token: string;
  unbound: string;
}

/** Before the clone is made: everything that a test changes. */
async function prepare(api: Api) {
  const original = await openRoom(api);
  const token = await leak(original);
  const unbound = await original.token('bot');
  const product = await employ(original);
  const { uid } = (await original.read('serviceaccounts', 'bot')).metadata;
  return { original, product, uid, token, unbound };
}

export function twins(api: () => Api): void {
  describe('two clusters with the same keys and UIDs', () => {
    let restored: Api;
    let scenes: Awaited<ReturnType<typeof prepare>>[];
    beforeAll(async () => {
      scenes = [await prepare(api()), await prepare(api()), await prepare(api()), await prepare(api())];
      restored = openApi(await ownOf(api().subject).clone());
    });
    afterAll(async () => {
      await closeAll();
      await restored?.close();
      await restored?.subject.close();
    });
    async function scene(): Promise<Scene> {
      const prepared = scenes.pop();
      if (prepared === undefined) throw new Error('Prepare one scene for each test.');
      const clone = roomIn(restored, prepared.original.namespace);
      const onClone = await connect(restored, await clone.token('tourniquet'));
      return { ...prepared, clone, onClone };
    }

    test('both recognise the token as theirs, and neither a foreign one', async () => {
      const { product, onClone, token, unbound } = await scene();
      for (const { cluster } of [product, onClone]) {
        expect(await cluster.signed(new Secret(token), 'refresh')).toBe('signed');
        expect(await cluster.signed(new Secret(unbound), 'refresh')).toBe('signed');
        const [head, payload, signature = ''] = token.split('.');
        const flipped = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
        const forged = new Secret(`${head}.${payload}.${flipped}`);
        expect(await cluster.signed(forged, 'refresh')).toBe('not-signed');
      }
    });

    test('a quarantine on one leaves it alive on the other, until that one’s own', async () => {
      const { original, product, clone, onClone, token } = await scene();
      const params = { namespace: original.namespace, secret: 'token' };
      expect((await product.run('quarantine-token', params, token)).verdict).toBe('done');
      await original.dies(token);
      expect(await clone.probe(token)).toBe(201);
      expect((await onClone.run('quarantine-token', params, token)).verdict).toBe('done');
      await clone.dies(token);
    });

    test('a healthy token that took its name on one is spared there, and the leaked one killed on the other', async () => {
      const { original, product, clone, onClone, token } = await scene();
      await clone.remove('serviceaccounts', 'bot');
      await clone.gone('secrets', 'token');
      const healthy = await leak(clone);
      const params = { namespace: original.namespace, secret: 'token' };
      await untouched(clone, 'secrets', 'token', async () => {
        expect((await onClone.run('quarantine-token', params, token)).verdict).toBe('not-done');
      });
      expect((await product.run('quarantine-token', params, token)).verdict).toBe('done');
      await original.dies(token);
      await clone.dies(token);
      await clone.lives(healthy);
    });

    test('deleting and re-creating kill on each for itself', async () => {
      const { original, product, clone, onClone, uid, token, unbound } = await scene();
      const { namespace } = original;
      const secret = (await original.read('secrets', 'token')).metadata.uid;
      const deletion = { namespace, secret: 'token', uid: secret, holds: 'legacy' };
      const recreation = { namespace, name: 'bot', uid, manifest: { metadata: { name: 'bot' } } };
      expect((await product.run('delete-token-secret', deletion, token)).verdict).toBe('done');
      expect((await product.run('recreate-service-account', recreation, unbound)).verdict).toBe('done');
      await original.dies(token);
      await original.dies(unbound);
      expect(await clone.probe(token)).toBe(201);
      expect((await onClone.run('delete-token-secret', deletion, token)).verdict).toBe('done');
      expect((await onClone.run('recreate-service-account', recreation, unbound)).verdict).toBe('done');
      await clone.dies(token);
      await clone.dies(unbound);
      const uids = [original, clone].map(
        async (room) => (await room.read('serviceaccounts', 'bot')).metadata.uid,
      );
      expect(new Set([uid, ...(await Promise.all(uids))]).size).toBe(3);
    });
  });
}
