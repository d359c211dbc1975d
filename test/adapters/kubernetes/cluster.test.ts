// The adapter against a cluster: objects, preconditions, the kill path, and what was seen of a token's life and death.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectCluster } from '../../../src/adapters/kubernetes/cluster.ts';
import { resources } from '../../../src/domain/kubernetes/resources.ts';
import type { KubernetesObject } from '../../../src/ports/cluster.ts';
import { Secret } from '../../../src/secret.ts';
import { type StepTools, startBench } from './connect.ts';
import { startScripted } from './scripted-server.ts';

const LABEL = 'kubernetes.io/legacy-token-invalid-since';
let tools: StepTools;
let leaked: string;
let sequence = 0;
/** Of the token Secret made for each test. */
let name: string;

const secret = () => ({ resource: resources.secrets, namespace: 'shop', name });
const base64 = (text: string) => Buffer.from(text).toString('base64');

const quarantine = (token: string) => [
  { op: 'test' as const, path: '/data/token', value: base64(token) },
  { op: 'test' as const, path: '/metadata/labels', value: null },
  { op: 'add' as const, path: '/metadata/labels', value: { [LABEL]: '2026-11-24' } },
];

beforeAll(async () => {
  tools = await startBench();
  tools.simulated.seed.namespace('shop');
  tools.simulated.seed.serviceAccount('shop', 'payments');
});

afterAll(() => tools.close());

beforeEach(async () => {
  name = `payments-token-${++sequence}`;
  leaked = await tools.simulated.seed.tokenSecret('shop', name, 'payments');
  tools.requests();
});

describe('objects', () => {
  it('created, read, listed, removed', async () => {
    const where = { resource: resources.serviceAccounts, namespace: 'shop' };
    const made = await tools.cluster.create<KubernetesObject>(where, { metadata: { name: 'fresh' } });
    const ref = { ...where, name: 'fresh' };
    expect(await tools.cluster.get(ref)).toMatchObject({ metadata: { uid: made.metadata.uid } });
    const names = (await tools.cluster.list(where)).map((each) => each.metadata.name);
    expect(names).toEqual(expect.arrayContaining(['fresh', 'payments']));
    await tools.cluster.remove(ref, { uid: made.metadata.uid });
    expect(await tools.cluster.get(ref)).toBeNull();
    await expect(tools.cluster.remove(ref, {})).rejects.toMatchObject({ code: 'not-found' });
  });

  it.each([
    [201, undefined],
    [429, 'throttled'],
    [409, 'conflict'],
    [404, 'not-found'],
    [403, 'forbidden'],
  ])('are evicted with their UID as precondition: %i', async (status, code) => {
    const scripted = await startScripted();
    const cluster = connectCluster(scripted.config());
    scripted.answer = { status, body: { kind: 'Status' } };
    const pod = { namespace: 'shop', name: 'web-0' };
    const evicted = cluster.evict(pod, { uid: 'uid-1' }).then(
      () => undefined,
      (error) => error.code,
    );
    expect(await evicted).toBe(code);
    expect(scripted.received).toMatchObject([
      { method: 'POST', path: '/api/v1/namespaces/shop/pods/web-0/eviction' },
    ]);
    expect(JSON.parse(scripted.received[0]?.body ?? '')).toMatchObject({
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: pod,
      deleteOptions: { preconditions: { uid: 'uid-1' } },
    });
    await cluster.close();
    await scripted.close();
  });

  it('that exist already are a conflict', async () => {
    const where = { resource: resources.serviceAccounts, namespace: 'shop' };
    const again = tools.cluster.create(where, { metadata: { name: 'payments' } });
    await expect(again).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('AlreadyExists'),
    });
  });

  it.each([{ uid: 'another' }, { resourceVersion: '1' }])(
    'are not removed where %j does not hold',
    async (options) => {
      await expect(tools.cluster.remove(secret(), options)).rejects.toMatchObject({ code: 'conflict' });
      expect(await tools.cluster.get(secret(), { metadataOnly: true })).not.toBeNull();
    },
  );

  it('come by metadata alone where asked for', async () => {
    const whole = await tools.cluster.get<KubernetesObject & { data?: unknown }>(secret());
    expect(whole?.data).toBeDefined();
    const read = await tools.cluster.get(secret(), { metadataOnly: true });
    const listed = await tools.cluster.list({
      resource: resources.secrets,
      namespace: 'shop',
      metadataOnly: true,
    });
    expect(read).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name } });
    expect(listed.map((each) => each.metadata.name)).toContain(name);
    for (const object of [read, ...listed]) expect(object).not.toHaveProperty('data');
  });

  it('by the hundreds are all listed', async () => {
    for (let i = 0; i < 501; i++) tools.simulated.seed.secret('default', `s-${i}`, {});
    tools.requests();
    const where = { resource: resources.secrets, namespace: 'default', metadataOnly: true };
    expect(await tools.cluster.list(where)).toHaveLength(501);
    expect(tools.requests()).toHaveLength(2);
  });

  it('of all namespaces are listed where none is named', async () => {
    const accounts = await tools.cluster.list({ resource: resources.serviceAccounts });
    const namespaces = new Set(accounts.map((each) => each.metadata.namespace));
    expect([...namespaces]).toEqual(expect.arrayContaining(['shop', 'kube-system']));
  });
});

describe('the kill path', () => {
  it('after warm(), a check of the signature and one patch are one request', async () => {
    const cluster = tools.connect();
    await cluster.warm();
    expect(tools.requests()).toEqual(['GET /openid/v1/jwks']);
    expect(await cluster.signed(new Secret(leaked), 'cached')).toBe('signed');
    const answer = await cluster.patch(secret(), quarantine(leaked));
    expect(tools.requests()).toEqual([`PATCH /api/v1/namespaces/shop/secrets/${name}`]);
    expect(answer).toMatchObject({
      kind: 'PartialObjectMetadata',
      metadata: { labels: { [LABEL]: '2026-11-24' } },
    });
    expect(answer).not.toHaveProperty('data');
  });

  it('a token that is not the one in the Secret touches nothing', async () => {
    await expect(tools.cluster.patch(secret(), quarantine('another'))).rejects.toMatchObject({
      code: 'does-not-apply',
    });
    const after = await tools.cluster.get(secret(), { metadataOnly: true });
    expect(after?.metadata.labels).toBeUndefined();
  });

  it('a patch whose answer is lost is an error, and is sent once', async () => {
    tools.simulated.faults.resetAfterAccept(({ method }) => method === 'PATCH');
    await expect(tools.cluster.patch(secret(), quarantine(leaked))).rejects.toMatchObject({
      code: 'unreachable',
    });
    expect(tools.requests()).toHaveLength(1);
    const after = await tools.cluster.get(secret(), { metadataOnly: true });
    expect(after?.metadata.labels).toHaveProperty(LABEL);
  });

  it('the probe sees the token alive before, and refused after', async () => {
    const probe = () => tools.cluster.probe(tools.simulated.url, new Secret(leaked));
    expect(await probe()).toEqual({ answer: 'accepted', seen: '201 Created' });
    // Its use left a label, so that the map exists now.
    await expect(tools.cluster.patch(secret(), quarantine(leaked))).rejects.toMatchObject({
      code: 'does-not-apply',
    });
    const label = `/metadata/labels/${LABEL.replace('/', '~1')}`;
    await tools.cluster.patch(secret(), [
      { op: 'test', path: '/data/token', value: base64(leaked) },
      { op: 'add', path: label, value: '2026-11-24' },
    ]);
    expect(await probe()).toEqual({ answer: 'refused', seen: '401 Unauthorized' });
    expect(tools.simulated.requests.filter(({ userAgent }) => userAgent === 'tourniquet-probe')).toHaveLength(
      2,
    );
  });
});

describe('TokenReview', () => {
  it('by the audience of the token tells life from death', async () => {
    const { seed, url } = tools.simulated;
    const boundObjectRef = { kind: 'Secret', name, apiVersion: 'v1' } as const;
    const token = new Secret(seed.requestToken('shop', 'payments', { audiences: ['vault'], boundObjectRef }));
    expect((await tools.cluster.review(url, token, ['vault'])).answer).toBe('accepted');
    expect((await tools.cluster.review(url, token, ['other'])).answer).toBe('inconclusive');
    expect((await tools.cluster.review(url, token, [])).answer).toBe('inconclusive');
    await tools.cluster.remove(secret(), {});
    expect((await tools.cluster.review(url, token, ['vault'])).answer).toBe('refused');
  });
});

describe('signatures', () => {
  it('of another cluster are not ours, and those of a clone are', async () => {
    const other = await startBench();
    const clone = await startBench({ keys: tools.simulated.keys });
    expect(await other.cluster.signed(new Secret(leaked), 'refresh')).toBe('not-signed');
    expect(await clone.cluster.signed(new Secret(leaked), 'refresh')).toBe('signed');
    await other.close();
    await clone.close();
  });

  it('are unknown where the cluster cannot be asked for its keys', async () => {
    const other = await startBench();
    await other.simulated.servers[0]?.stop();
    expect(await other.cluster.signed(new Secret(leaked), 'refresh')).toBe('unknown');
    await expect(other.cluster.warm()).rejects.toMatchObject({ code: 'unreachable', retry: true });
    await other.close();
  });
});
