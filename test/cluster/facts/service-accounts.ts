// What becomes of all tokens when their ServiceAccount is deleted.
import { describe, expect, test } from 'vitest';
import { type KubeObject, openNamespace, until } from '../leak.ts';
import type { Planes } from './planes.ts';
import { holds } from './witness.ts';

export function serviceAccountFacts(planes: Planes): void {
  describe.concurrent('a ServiceAccount', () => {
    test('deleted and made again kills all that it ever had', async () => {
      const space = await openNamespace(planes.rsa);
      const first = await space.serviceAccount('robot');
      const legacy = await space.legacyToken('robot', 'robot-token');
      const unbound = await space.requestToken('robot');
      const deleted = Date.now();
      await space.remove('serviceaccounts', 'robot');
      const second = await space.serviceAccount('robot');
      expect(second.metadata.uid).not.toBe(first.metadata.uid);
      const [legacyMs, unboundMs] = await Promise.all([
        space.death(legacy, deleted),
        space.death(unbound, deleted),
      ]);
      holds('account-deleted-unbound', unboundMs, (await space.review(unbound)).error);
      await until(async () => !(await space.exists(space.at('secrets', 'robot-token'))));
      holds('account-deleted-legacy', legacyMs, `its Secret is gone after ${Date.now() - deleted} ms`);
      const renewed = await space.legacyToken('robot', 'robot-token');
      expect(renewed).not.toBe(legacy);
      await space.use(renewed);
      expect(await space.probe(legacy)).toBe(401);
    });

    test('with a finalizer cannot be made again, and its bound tokens live a minute', async () => {
      const space = await openNamespace(planes.rsa);
      await space.serviceAccount('robot', ['example.test/hold']);
      const legacy = await space.legacyToken('robot', 'robot-token');
      const unbound = await space.requestToken('robot');
      const deleted = Date.now();
      await space.remove('serviceaccounts', 'robot');
      const body = { metadata: { name: 'robot' } };
      const blocked = await planes.rsa.call('POST', space.at('serviceaccounts'), { body });
      expect(blocked.status).toBe(409);
      const legacyMs = await space.death(legacy, deleted);
      expect(await space.probe(unbound)).toBe(201);
      const unboundMs = await space.death(unbound, deleted);
      holds('account-finalizer-legacy', legacyMs);
      holds('account-finalizer-unbound', unboundMs);
      await space.send('PATCH', space.at('serviceaccounts', 'robot'), { metadata: { finalizers: null } });
      await until(
        async () => (await planes.rsa.call('POST', space.at('serviceaccounts'), { body })).status === 201,
      );
    });

    test('named default is made again by its controller', async () => {
      const space = await openNamespace(planes.rsa);
      const path = space.at('serviceaccounts', 'default');
      const first = await space.send('GET', path);
      const deleted = Date.now();
      await space.remove('serviceaccounts', 'default');
      const second = await until(async () => {
        const { status, body } = await planes.rsa.call<KubeObject>('GET', path);
        return status === 200 && body.metadata.uid !== first.metadata.uid && body;
      });
      expect(second.metadata.uid).not.toBe(first.metadata.uid);
      holds('account-default', Date.now() - deleted);
    });
  });
}
