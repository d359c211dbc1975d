// recreate-service-account on a cluster that changes between alert and kill: only the ServiceAccount with the planned UID goes.
import { describe, expect, test } from 'vitest';
import { readServiceAccount } from '../../../../src/engine/look/service-account.ts';
import { type Api, MERGE_PATCH } from '../api.ts';
import { openRoom, type Room } from '../room.ts';
import { untouched } from './leak.ts';
import { employ, type Product } from './product.ts';

const ACTION = 'recreate-service-account';
const kept = { labels: { team: 'shop' }, annotations: { 'example.test/role': 'reader' } };

async function planned({ cluster }: Product, { namespace }: Room, name = 'bot') {
  const account = await readServiceAccount(cluster, namespace, name);
  if (account === null) throw new Error(`There is no ServiceAccount ${name}.`);
  return { namespace, name, uid: account.uid, manifest: account.manifest };
}

export function recreation(api: () => Api): void {
  describe(ACTION, () => {
    test('kills every token, keeps what is not a token, and is harmless twice', async () => {
      const room = await openRoom(api());
      const secrets = [{ name: 'git-credentials' }];
      const fields = { metadata: kept, automountServiceAccountToken: false, secrets };
      await room.create('serviceaccounts', 'bot', fields);
      const legacy = await room.tokenSecret('token', 'bot');
      const unbound = await room.token('bot');
      const product = await employ(room);
      const params = await planned(product, room);
      expect(await product.verify(ACTION, params, unbound)).toBe('not-done');
      const { verdict, facts } = await product.run(ACTION, params, unbound);
      expect(verdict).toBe('done');
      await room.dies(legacy);
      await room.dies(unbound);
      await room.gone('secrets', 'token');
      const after = await room.read('serviceaccounts', 'bot');
      expect(after).toMatchObject(fields);
      expect(after.metadata.uid).toBe(facts?.uid);
      expect(after.metadata.uid).not.toBe(params.uid);
      await untouched(room, 'serviceaccounts', 'bot', async () => {
        expect((await product.run(ACTION, params, unbound)).verdict).toBe('done');
      });
      await room.lives(await room.token('bot'));
    });

    test('leaves one alone that somebody else made again meanwhile', async () => {
      const room = await openRoom(api());
      await room.create('serviceaccounts', 'bot');
      const [leaked, product] = [await room.token('bot'), await employ(room)];
      const params = await planned(product, room);
      await room.remove('serviceaccounts', 'bot');
      await room.create('serviceaccounts', 'bot');
      const healthy = [await room.token('bot'), await room.tokenSecret('token', 'bot')];
      await untouched(room, 'serviceaccounts', 'bot', async () => {
        expect((await product.run(ACTION, params, leaked)).verdict).toBe('done');
        expect(await product.verify(ACTION, params, leaked)).toBe('done');
      });
      await room.dies(leaked);
      for (const token of healthy) await room.lives(token);
    });

    test('makes one again that is only deleted, as after a crash in between', async () => {
      const room = await openRoom(api());
      await room.create('serviceaccounts', 'bot', { metadata: kept });
      const [leaked, product] = [await room.token('bot'), await employ(room)];
      const params = await planned(product, room);
      await room.remove('serviceaccounts', 'bot');
      expect(await product.verify(ACTION, params, leaked)).toBe('not-done');
      expect((await product.run(ACTION, params, leaked)).verdict).toBe('done');
      expect(await room.read('serviceaccounts', 'bot')).toMatchObject({ metadata: kept });
      await room.dies(leaked);
    });

    test('and the controller do not get in each other’s way over `default`', async () => {
      const room = await openRoom(api());
      const [leaked, product] = [await room.token('default'), await employ(room)];
      const params = await planned(product, room, 'default');
      expect((await product.run(ACTION, params, leaked)).verdict).toBe('done');
      await room.dies(leaked);
      const { uid } = (await room.read('serviceaccounts', 'default')).metadata;
      expect(uid).not.toBe(params.uid);
      await room.lives(await room.token('default'));
    });

    test('leaves one alone that a finalizer would hold, until it is gone', async () => {
      const room = await openRoom(api());
      await room.create('serviceaccounts', 'bot', { metadata: { finalizers: ['example.test/hold'] } });
      const [leaked, product] = [await room.token('bot'), await employ(room)];
      const params = await planned(product, room);
      expect((await product.run(ACTION, params, leaked)).verdict).toBe('not-done');
      // Deleted, it could not be made again; so it was left alone.
      expect((await room.read('serviceaccounts', 'bot')).metadata).toMatchObject({ uid: params.uid });
      expect((await room.read('serviceaccounts', 'bot')).metadata.deletionTimestamp).toBeUndefined();
      const patch = { body: { metadata: { finalizers: null } }, type: MERGE_PATCH };
      await api().ask('PATCH', room.at('serviceaccounts', 'bot'), patch);
      expect((await product.run(ACTION, params, leaked)).verdict).toBe('done');
      await room.dies(leaked);
    });
  });
}
