// Tokens bound to a Pod, a Secret, a Node or an audience.
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type KubeObject, openNamespace, until } from '../leak.ts';
import { CACHE, GRACE_SECONDS } from './facts.ts';
import type { Planes } from './planes.ts';
import { holds } from './witness.ts';

export function boundTokenFacts(planes: Planes): void {
  /** A Node of the test's own, on which no kubelet answers. */
  async function bareNode(): Promise<{ name: string; uid: string }> {
    const name = `bare-${randomBytes(4).toString('hex')}`;
    const { body } = await planes.rsa.call<KubeObject>('POST', '/api/v1/nodes', {
      body: { metadata: { name } },
    });
    return body.metadata;
  }

  describe.concurrent('a bound token', () => {
    test('of a deleted Secret dies, in ten seconds where a TokenReview warmed the cache', async () => {
      const space = await openNamespace(planes.rsa);
      await space.serviceAccount('robot');
      const secret = { kind: 'Secret', name: 'anchor' } as const;
      const { metadata } = await space.send('POST', space.at('secrets'), { metadata: { name: 'anchor' } });
      const bound = { ...secret, uid: metadata.uid };
      const cold = await space.requestToken('robot', { bound });
      const reviewed = await space.requestToken('robot', { bound });
      const asked = Date.now();
      expect((await space.review(reviewed)).authenticated).toBe(true);
      await space.remove('secrets', 'anchor');
      const [coldMs, warmMs] = await Promise.all([space.death(cold, asked), space.death(reviewed, asked)]);
      holds('secret-bound-reviewed', warmMs);
      const { error } = await space.review(cold);
      await space.send('POST', space.at('secrets'), { metadata: { name: 'anchor' } });
      const bystander = await space.requestToken('robot');
      await space.use(bystander);
      expect(await space.probe(cold)).toBe(401);
      holds('secret-bound-cold', coldMs, error);
    });

    test('of a deleted Pod lives for its grace period and a minute more', async () => {
      const space = await openNamespace(planes.rsa);
      await space.serviceAccount('robot');
      const bound = await space.pod('worker', 'robot', (await bareNode()).name);
      const leaked = await space.requestToken('robot', { bound });
      const deleted = Date.now();
      await space.remove('pods', 'worker', { gracePeriodSeconds: GRACE_SECONDS });
      const gone = await space.death(leaked, deleted);
      expect(await space.exists(space.at('pods', 'worker'))).toBe(true);
      holds('pod-grace', gone, (await space.review(leaked)).error);
    });

    test('of a Pod deleted by force dies at once', async () => {
      const space = await openNamespace(planes.rsa);
      await space.serviceAccount('robot');
      const bound = await space.pod('worker', 'robot', (await bareNode()).name);
      const leaked = await space.requestToken('robot', { bound });
      const deleted = Date.now();
      await space.remove('pods', 'worker', { gracePeriodSeconds: 0 });
      const gone = await space.death(leaked, deleted);
      holds('pod-force', gone);
    });

    test('of a Pod is cut off earlier by a second delete with a shorter grace period', async () => {
      const space = await openNamespace(planes.rsa);
      await space.serviceAccount('robot');
      await space.pod('worker', 'robot', (await bareNode()).name);
      const deletionTime = async (gracePeriodSeconds: number): Promise<number> => {
        const pod = await space.remove('pods', 'worker', { gracePeriodSeconds });
        return Date.parse(pod.metadata.deletionTimestamp ?? '');
      };
      const slow = await deletionTime(600);
      const quick = await deletionTime(1);
      expect(quick).toBeLessThan(slow);
      holds('pod-shorter', undefined, `moved forward by ${(slow - quick) / 1000} s`);
    });

    test('of a Node dies with the Node; of a Pod on it, not', async () => {
      const space = await openNamespace(planes.rsa);
      await space.serviceAccount('robot');
      const node = await bareNode();
      const ofPod = await space.requestToken('robot', {
        bound: await space.pod('worker', 'robot', node.name),
      });
      const ofNode = await space.requestToken('robot', { bound: { kind: 'Node', ...node } });
      const deleted = Date.now();
      await planes.rsa.call('DELETE', `/api/v1/nodes/${node.name}`);
      holds('node-deleted', await space.death(ofNode, deleted), (await space.review(ofNode)).error);
      expect(await space.probe(ofPod)).toBe(201);
      holds('pod-on-deleted-node');
    });

    test('for another audience is refused with nothing said about its life', async () => {
      const space = await openNamespace(planes.rsa);
      await space.serviceAccount('robot');
      const leaked = await space.requestToken('robot', { audience: 'vault' });
      const alive = await space.review(leaked);
      expect(alive.authenticated).not.toBe(true);
      expect(await space.probe(leaked)).toBe(401);
      const own = await space.review(leaked, ['vault']);
      expect(own.authenticated).toBe(true);
      await space.remove('serviceaccounts', 'robot');
      await until(async () => (await space.review(leaked, ['vault'])).authenticated !== true);
      const dead = await space.review(leaked);
      expect(dead.error).toBe(alive.error);
      holds('other-audience', undefined, alive.error);
    });

    test('of a completed Pod lives until that Pod is deleted', async () => {
      const space = await openNamespace(planes.rsa);
      await space.serviceAccount('robot');
      const bound = await space.pod('job', 'robot', (await bareNode()).name);
      const leaked = await space.requestToken('robot', { bound });
      await space.send('PATCH', `${space.at('pods', 'job')}/status`, { status: { phase: 'Succeeded' } });
      await space.seen(await space.send('GET', space.at('pods', 'job')), space.at('pods', 'job'));
      const probed = Date.now();
      expect(await space.probe(leaked)).toBe(201);
      holds('pod-completed');
      // Until the server has forgotten that answer, nothing about the deletion shows.
      await until(async () => Date.now() - probed > CACHE);
      const deleted = Date.now();
      await space.remove('pods', 'job');
      expect(await space.exists(space.at('pods', 'job'))).toBe(false);
      holds('pod-completed-deleted', await space.death(leaked, deleted));
    });
  });
}
