// Tokens that live in Secrets: what ends them, and what brings them back.
import { describe, expect, test } from 'vitest';
import { openNamespace, until } from '../leak.ts';
import { startBalancer } from './balancer.ts';
import type { Planes } from './planes.ts';
import { holds } from './witness.ts';

export function legacyTokenFacts(planes: Planes): void {
  describe.concurrent('a legacy token', () => {
    test('comes back to life byte for byte with its Secret, where the key is RSA', async () => {
      const space = await openNamespace(planes.rsa);
      await space.serviceAccount('robot');
      const leaked = await space.legacyToken('robot', 'robot-token');
      const removed = Date.now();
      await space.remove('secrets', 'robot-token');
      holds('secret-deleted', await space.death(leaked, removed));
      const again = await space.legacyToken('robot', 'robot-token');
      expect(again).toBe(leaked);
      await space.use(leaked);
      holds('same-name-rsa');
    });

    test('stays dead when its Secret is re-created, where the key is ECDSA', async () => {
      const space = await openNamespace(planes.ecdsa);
      await space.serviceAccount('robot');
      const leaked = await space.legacyToken('robot', 'robot-token');
      await space.remove('secrets', 'robot-token');
      const again = await space.legacyToken('robot', 'robot-token');
      expect(again).not.toBe(leaked);
      await space.use(again);
      expect(await space.probe(leaked)).toBe(401);
      holds('same-name-ecdsa', undefined, (await space.review(leaked)).error);
    });

    test.each([
      ['blanked-rsa', () => planes.rsa, true],
      ['blanked-ecdsa', () => planes.ecdsa, false],
    ] as const)('is regenerated when data.token is blanked (%s)', async (fact, plane, same) => {
      const space = await openNamespace(plane());
      await space.serviceAccount('robot');
      const leaked = await space.legacyToken('robot', 'robot-token');
      const blanked = Date.now();
      await space.send('PATCH', space.at('secrets', 'robot-token'), { data: { token: null } });
      const regenerated = await space.secretToken('robot-token');
      const tookMs = Date.now() - blanked;
      expect(regenerated === leaked).toBe(same);
      await space.use(regenerated);
      await until(async () => (await space.probe(leaked)) === (same ? 201 : 401));
      holds(fact, tookMs);
    });

    test('of a Secret made by hand is switched off by invalid-since, and on again', async () => {
      const space = await openNamespace(planes.rsa);
      await space.serviceAccount('robot');
      const leaked = await space.legacyToken('robot', 'robot-token');
      const labelled = Date.now();
      await space.seen(await space.quarantine('robot-token'), space.at('secrets', 'robot-token'));
      const cold = await space.death(leaked, labelled);
      const { error } = await space.review(leaked);
      const undone = Date.now();
      await space.quarantine('robot-token', null);
      await space.use(leaked);
      holds('label-cold', cold, `${error}; label removed: alive after ${Date.now() - undone} ms`);
    });

    test('lives on in the cache for ten seconds after a probe', async () => {
      const space = await openNamespace(planes.rsa);
      await space.serviceAccount('robot');
      const leaked = await space.legacyToken('robot', 'robot-token');
      const used = await space.use(leaked);
      const labelled = Date.now();
      await space.quarantine('robot-token');
      const warm = await space.death(leaked, used);
      holds('label-warm', warm, `${warm - (labelled - used)} ms after the label`);
    });

    test('has a cache at each server, which know nothing of one another', async () => {
      const space = await openNamespace(planes.rsa);
      await space.serviceAccount('robot');
      const leaked = await space.legacyToken('robot', 'robot-token');
      const used = await space.use(leaked, 0);
      await space.seen(await space.quarantine('robot-token'), space.at('secrets', 'robot-token'), 1);
      const second = await space.death(leaked, used, 1);
      expect(await space.probe(leaked, 0)).toBe(201);
      const first = await space.death(leaked, used, 0);
      expect(second).toBeLessThan(first);
      holds('two-servers', first, `at the other after ${second} ms`);
    });

    test('revives when its value is put into a Secret of any type and that name', async () => {
      const space = await openNamespace(planes.ecdsa);
      await space.serviceAccount('robot');
      const leaked = await space.legacyToken('robot', 'robot-token');
      await space.remove('secrets', 'robot-token');
      await space.death(leaked, Date.now());
      const data = { token: Buffer.from(leaked).toString('base64') };
      await space.send('POST', space.at('secrets'), {
        type: 'Opaque',
        metadata: { name: 'robot-token' },
        data,
      });
      const restored = Date.now();
      await space.use(leaked);
      holds('restored-elsewhere', Date.now() - restored);
    });

    test('answers 403 while it is alive and 401 when it is not', async () => {
      const space = await openNamespace(planes.rsa);
      await space.serviceAccount('robot');
      const token = await space.legacyToken('robot', 'robot-token');
      const list = async () => (await planes.rsa.call('GET', space.at('secrets'), { token })).status;
      await until(async () => (await list()) === 403);
      await space.remove('secrets', 'robot-token');
      await until(async () => (await list()) !== 403);
      const dead = await list();
      expect(dead).toBe(401);
      holds('forbidden');
    });

    test('that its ServiceAccount lists is switched off by the label too', async () => {
      const space = await openNamespace(planes.rsa);
      await space.serviceAccount('robot');
      const leaked = await space.legacyToken('robot', 'robot-token');
      await space.send('PATCH', space.at('serviceaccounts', 'robot'), { secrets: [{ name: 'robot-token' }] });
      const labelled = Date.now();
      await space.quarantine('robot-token');
      const cold = await space.death(leaked, labelled);
      await space.quarantine('robot-token', null);
      await space.use(leaked);
      holds('label-auto-listed', cold);
    });

    test('is asked about at one server alone over a connection that is kept', async () => {
      const space = await openNamespace(planes.rsa);
      await space.serviceAccount('robot');
      const leaked = await space.legacyToken('robot', 'robot-token');
      const balancer = await startBalancer(planes.rsa.servers.map(({ url }) => url));
      try {
        // The second server has never seen it; the first remembers that it was good.
        await space.use(leaked, 0);
        await space.seen(await space.quarantine('robot-token'), space.at('secrets', 'robot-token'), 1);
        const ask = (server: number) =>
          balancer.askOverOneConnection(planes.rsa.caPem, leaked, { times: 3, server });
        const each = await Promise.all([space.probe(leaked, 0), space.probe(leaked, 1)]);
        expect(each).toEqual([201, 401]);
        expect(await ask(0)).toEqual([201, 201, 201]);
        // The refusal ended the connection, and the next went to the other server.
        expect(await ask(1)).toEqual([401, 201, 201]);
        holds('kept-connection');
      } finally {
        await balancer.close();
      }
    });

    test('leaves nameless traces in the audit log when it is tried after its end', async () => {
      const space = await openNamespace(planes.rsa);
      await space.serviceAccount('robot');
      const leaked = await space.legacyToken('robot', 'robot-token');
      await space.quarantine('robot-token');
      await space.death(leaked, Date.now());
      const path = space.at('configmaps', `tried-${space.namespace}`);
      expect((await planes.rsa.call('GET', path, { token: leaked })).status).toBe(401);
      const attempt = await until(async () =>
        (await planes.rsa.auditLog()).find(({ requestURI }) => requestURI === path),
      );
      expect(attempt.responseStatus?.code).toBe(401);
      expect(attempt.user.username).toBeUndefined();
      expect(attempt.user.extra).toBeUndefined();
      holds('audit', undefined, JSON.stringify(attempt.annotations ?? {}));
    });
  });
}
