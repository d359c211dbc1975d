// What Kubernetes really does with a leaked token, on which every action and every proof of Tourniquet rests.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../sandbox/controlplane/launch.ts';
import { type KubeObject, openNamespace, until } from './leak.ts';

const CACHE_MS = 10_000;
const LEEWAY_MS = 60_000;
/** Of timestamps in whole seconds. */
const SECOND = 1000;

let rsa: ControlPlane;
let ecdsa: ControlPlane;
beforeAll(async () => {
  rsa = await startControlPlane({ name: 'rsa', servers: 2 });
  ecdsa = await startControlPlane({ name: 'ecdsa', signing: 'ES256', nodes: 0 });
});
afterAll(async () => {
  await Promise.all([rsa?.close(), ecdsa?.close()]);
});

const saw = (fact: string, value: unknown): void => console.log(`${fact}: ${value}`);

/** A Node of the test's own, on which no kubelet answers. */
async function bareNode(): Promise<{ name: string; uid: string }> {
  const name = `bare-${randomBytes(4).toString('hex')}`;
  const { body } = await rsa.call<KubeObject>('POST', '/api/v1/nodes', { body: { metadata: { name } } });
  return body.metadata;
}

describe.concurrent('a legacy token', () => {
  test('comes back to life byte for byte with its Secret, where the key is RSA', async () => {
    const space = await openNamespace(rsa);
    await space.serviceAccount('robot');
    const leaked = await space.legacyToken('robot', 'robot-token');
    await space.remove('secrets', 'robot-token');
    saw('RSA, Secret deleted, never probed before: dead after ms', await space.death(leaked, Date.now()));
    const again = await space.legacyToken('robot', 'robot-token');
    saw('RSA, Secret re-created under its name: same JWT', again === leaked);
    expect(again).toBe(leaked);
    await space.use(leaked);
  });

  test('stays dead when its Secret is re-created, where the key is ECDSA', async () => {
    const space = await openNamespace(ecdsa);
    await space.serviceAccount('robot');
    const leaked = await space.legacyToken('robot', 'robot-token');
    await space.remove('secrets', 'robot-token');
    const again = await space.legacyToken('robot', 'robot-token');
    saw('ECDSA, Secret re-created under its name: same JWT', again === leaked);
    expect(again).not.toBe(leaked);
    await space.use(again);
    expect(await space.probe(leaked)).toBe(401);
    saw('ECDSA, the leaked one is refused as', (await space.review(leaked)).error);
  });

  test.each([
    ['RSA', () => rsa, true],
    ['ECDSA', () => ecdsa, false],
  ] as const)('is regenerated when data.token is blanked (%s)', async (key, plane, same) => {
    const space = await openNamespace(plane());
    await space.serviceAccount('robot');
    const leaked = await space.legacyToken('robot', 'robot-token');
    const blanked = Date.now();
    await space.send('PATCH', space.at('secrets', 'robot-token'), { data: { token: null } });
    const regenerated = await space.secretToken('robot-token');
    saw(`${key}, data.token blanked: same JWT`, `${regenerated === leaked} after ${Date.now() - blanked} ms`);
    expect(regenerated === leaked).toBe(same);
    await space.use(regenerated);
    await until(async () => (await space.probe(leaked)) === (same ? 201 : 401));
  });

  test('of a Secret made by hand is switched off by invalid-since, and on again', async () => {
    const space = await openNamespace(rsa);
    await space.serviceAccount('robot');
    const leaked = await space.legacyToken('robot', 'robot-token');
    const labelled = Date.now();
    await space.seen(await space.quarantine('robot-token'), space.at('secrets', 'robot-token'));
    const cold = await space.death(leaked, labelled);
    saw('invalid-since, cold: dead after ms', cold);
    expect(cold).toBeLessThan(CACHE_MS);
    saw('invalid-since is refused as', (await space.review(leaked)).error);
    const undone = Date.now();
    await space.quarantine('robot-token', null);
    await space.use(leaked);
    saw('label removed: alive after ms', Date.now() - undone);
  });

  test('lives on in the cache for ten seconds after a probe', async () => {
    const space = await openNamespace(rsa);
    await space.serviceAccount('robot');
    const leaked = await space.legacyToken('robot', 'robot-token');
    const used = await space.use(leaked);
    const labelled = Date.now();
    await space.quarantine('robot-token');
    const warm = await space.death(leaked, used);
    saw(
      'invalid-since, warm: dead after ms',
      `${warm} of the last use, ${warm - (labelled - used)} of the label`,
    );
    expect(warm).toBeGreaterThanOrEqual(CACHE_MS);
  });

  test('has a cache at each server, which know nothing of one another', async () => {
    const space = await openNamespace(rsa);
    await space.serviceAccount('robot');
    const leaked = await space.legacyToken('robot', 'robot-token');
    const used = await space.use(leaked, 0);
    await space.seen(await space.quarantine('robot-token'), space.at('secrets', 'robot-token'), 1);
    const second = await space.death(leaked, used, 1);
    expect(await space.probe(leaked, 0)).toBe(201);
    const first = await space.death(leaked, used, 0);
    saw('two servers: dead after ms', `${first} where it was used, ${second} at the other`);
    expect(second).toBeLessThan(first);
  });

  test('revives when its value is put into a Secret of any type and that name', async () => {
    const space = await openNamespace(ecdsa);
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
    saw('old value restored in an Opaque Secret: alive after ms', Date.now() - restored);
  });

  test('answers 403 while it is alive and 401 when it is not', async () => {
    const space = await openNamespace(rsa);
    await space.serviceAccount('robot');
    const token = await space.legacyToken('robot', 'robot-token');
    const list = async () => (await rsa.call('GET', space.at('secrets'), { token })).status;
    await until(async () => (await list()) === 403);
    await space.remove('secrets', 'robot-token');
    await until(async () => (await list()) !== 403);
    const dead = await list();
    saw('without permissions', `403 alive, ${dead} dead`);
    expect(dead).toBe(401);
  });
});

describe.concurrent('a bound token', () => {
  test('of a deleted Secret dies, in ten seconds where a TokenReview warmed the cache', async () => {
    const space = await openNamespace(rsa);
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
    saw('Secret-bound: dead after ms', `${coldMs} cold, ${warmMs} after a TokenReview`);
    expect(coldMs).toBeLessThan(warmMs);
    expect(warmMs).toBeGreaterThanOrEqual(CACHE_MS);
    saw('Secret-bound is refused as', (await space.review(cold)).error);
    await space.send('POST', space.at('secrets'), { metadata: { name: 'anchor' } });
    const bystander = await space.requestToken('robot');
    await space.use(bystander);
    expect(await space.probe(cold)).toBe(401);
  });

  test('of a deleted Pod lives for its grace period and a minute more', async () => {
    const space = await openNamespace(rsa);
    await space.serviceAccount('robot');
    const bound = await space.pod('worker', 'robot', (await bareNode()).name);
    const leaked = await space.requestToken('robot', { bound });
    const deleted = Date.now();
    const gracePeriodSeconds = 5;
    await space.remove('pods', 'worker', { gracePeriodSeconds });
    const gone = await space.death(leaked, deleted);
    saw('Pod-bound, grace 5 s, Pod still there, used all the time: dead after ms', gone);
    saw('Pod-bound is refused as', (await space.review(leaked)).error);
    expect(await space.exists(space.at('pods', 'worker'))).toBe(true);
    expect(gone).toBeGreaterThanOrEqual(gracePeriodSeconds * 1000 + LEEWAY_MS - SECOND);
  });

  test('of a Pod deleted by force dies at once', async () => {
    const space = await openNamespace(rsa);
    await space.serviceAccount('robot');
    const bound = await space.pod('worker', 'robot', (await bareNode()).name);
    const leaked = await space.requestToken('robot', { bound });
    const deleted = Date.now();
    await space.remove('pods', 'worker', { gracePeriodSeconds: 0 });
    const gone = await space.death(leaked, deleted);
    saw('Pod-bound, force, cold: dead after ms', gone);
    expect(gone).toBeLessThan(LEEWAY_MS);
  });

  test('of a Pod is cut off earlier by a second delete with a shorter grace period', async () => {
    const space = await openNamespace(rsa);
    await space.serviceAccount('robot');
    await space.pod('worker', 'robot', (await bareNode()).name);
    const deletionTime = async (gracePeriodSeconds: number): Promise<number> => {
      const pod = await space.remove('pods', 'worker', { gracePeriodSeconds });
      return Date.parse(pod.metadata.deletionTimestamp ?? '');
    };
    const slow = await deletionTime(600);
    const quick = await deletionTime(1);
    saw('deletionTimestamp moved forward by s', (slow - quick) / 1000);
    expect(quick).toBeLessThan(slow);
  });

  test('of a Node dies with the Node; of a Pod on it, not', async () => {
    const space = await openNamespace(rsa);
    await space.serviceAccount('robot');
    const node = await bareNode();
    const ofPod = await space.requestToken('robot', { bound: await space.pod('worker', 'robot', node.name) });
    const ofNode = await space.requestToken('robot', { bound: { kind: 'Node', ...node } });
    const deleted = Date.now();
    await rsa.call('DELETE', `/api/v1/nodes/${node.name}`);
    saw('Node-bound, cold: dead after ms', await space.death(ofNode, deleted));
    saw('Node-bound is refused as', (await space.review(ofNode)).error);
    const other = await space.probe(ofPod);
    saw('Pod-bound on the deleted Node', other);
    expect(other).toBe(201);
  });

  test('for another audience is refused with nothing said about its life', async () => {
    const space = await openNamespace(rsa);
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
    saw('wrong audience, alive', alive.error);
    saw('wrong audience, dead', dead.error);
    saw('its own audience, dead', (await space.review(leaked, ['vault'])).error);
    expect(dead.error).toBe(alive.error);
  });
});

describe.concurrent('a ServiceAccount', () => {
  test('deleted and made again kills all that it ever had', async () => {
    const space = await openNamespace(rsa);
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
    saw('ServiceAccount re-created, cold: dead after ms', `${legacyMs} legacy, ${unboundMs} unbound`);
    saw('unbound is refused as', (await space.review(unbound)).error);
    await until(async () => !(await space.exists(space.at('secrets', 'robot-token'))));
    saw('ServiceAccount re-created: its token Secret is gone after ms', Date.now() - deleted);
    const renewed = await space.legacyToken('robot', 'robot-token');
    expect(renewed).not.toBe(legacy);
    await space.use(renewed);
    expect(await space.probe(legacy)).toBe(401);
  });

  test('with a finalizer cannot be made again, and its bound tokens live a minute', async () => {
    const space = await openNamespace(rsa);
    await space.serviceAccount('robot', ['example.test/hold']);
    const legacy = await space.legacyToken('robot', 'robot-token');
    const unbound = await space.requestToken('robot');
    const deleted = Date.now();
    await space.remove('serviceaccounts', 'robot');
    const body = { metadata: { name: 'robot' } };
    const blocked = await rsa.call('POST', space.at('serviceaccounts'), { body });
    expect(blocked.status).toBe(409);
    const legacyMs = await space.death(legacy, deleted);
    expect(await space.probe(unbound)).toBe(201);
    const unboundMs = await space.death(unbound, deleted);
    saw('finalizer: dead after ms', `${legacyMs} legacy, ${unboundMs} unbound and used all the time`);
    expect(unboundMs).toBeGreaterThanOrEqual(LEEWAY_MS - SECOND);
    await space.send('PATCH', space.at('serviceaccounts', 'robot'), { metadata: { finalizers: null } });
    await until(async () => (await rsa.call('POST', space.at('serviceaccounts'), { body })).status === 201);
  });

  test('named default is made again by its controller', async () => {
    const space = await openNamespace(rsa);
    const path = space.at('serviceaccounts', 'default');
    const first = await space.send('GET', path);
    const deleted = Date.now();
    await space.remove('serviceaccounts', 'default');
    const second = await until(async () => {
      const { status, body } = await rsa.call<KubeObject>('GET', path);
      return status === 200 && body.metadata.uid !== first.metadata.uid && body;
    });
    saw('default: there again, with another UID, after ms', Date.now() - deleted);
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
  });
});
