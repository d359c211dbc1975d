// Objects over the wire: create, read, update, delete, and the errors of each, as a client meets them.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startCluster } from '../src/cluster/cluster.ts';
import { Api, MERGE_PATCH, METADATA_ONLY, TestClock } from './api.ts';

const ACCOUNTS = '/api/v1/namespaces/shop/serviceaccounts';
const SECRETS = '/api/v1/namespaces/shop/secrets';

let clock: TestClock;
let api: Api;
beforeEach(async () => {
  clock = new TestClock();
  api = new Api(await startCluster({ signing: 'ES256', now: clock.now }));
  api.cluster.seed.namespace('shop');
});
afterEach(() => api.close());

describe('who may ask', () => {
  test('a request without a token is forbidden, one with a bad token answers 401', async () => {
    expect((await api.get(SECRETS, { token: '' })).status).toBe(403);
    const token = 'nonsense';
    const reply = await api.get(SECRETS, { token });
    expect(reply.status).toBe(401);
    expect(reply.body).toMatchObject({ kind: 'Status', reason: 'Unauthorized', code: 401 });
    expect((await api.get('/apis/not.modelled/v1/things', { token })).status).toBe(401);
  });

  test.each(['/version', '/readyz', '/healthz'])('%s needs no token', async (path) =>
    expect((await api.get(path, { token: '' })).status).toBe(200),
  );

  test('what is not modelled answers 501 and names it', async () => {
    const reply = await api.get('/apis/networking.k8s.io/v1/networkpolicies');
    expect(reply.status).toBe(501);
    expect(reply.body.message).toContain('GET /apis/networking.k8s.io/v1/networkpolicies');
    expect((await api.ask('DELETE', SECRETS)).status).toBe(501);
    expect((await api.ask('POST', `${SECRETS}?dryRun=Some`, { body: {} })).status).toBe(501);
    expect((await api.ask('DELETE', `${SECRETS}/x?dryRun=All`)).status).toBe(501);
  });
});

describe('create', () => {
  test('fills in what the server owns, and ignores what a client may not set', async () => {
    const metadata = { name: 'bot', uid: 'mine', labels: { a: 'b' } };
    const { status, body } = await api.ask('POST', ACCOUNTS, {
      body: { metadata },
      userAgent: 'kubectl/v1.37.2 (linux)',
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ apiVersion: 'v1', kind: 'ServiceAccount' });
    expect(body.metadata).toMatchObject({
      name: 'bot',
      namespace: 'shop',
      labels: { a: 'b' },
      uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      creationTimestamp: '2026-11-24T03:00:00Z',
      managedFields: [{ manager: 'kubectl', operation: 'Update', time: '2026-11-24T03:00:00Z' }],
    });
    expect(Number(body.metadata.resourceVersion)).toBeGreaterThan(1000);
  });

  test('a taken name answers 409 AlreadyExists; generateName finds a free one', async () => {
    const body = { metadata: { name: 'bot' } };
    await api.ask('POST', ACCOUNTS, { body });
    const again = await api.ask('POST', ACCOUNTS, { body });
    expect(again.status).toBe(409);
    expect(again.body).toMatchObject({
      reason: 'AlreadyExists',
      message: 'serviceaccounts "bot" already exists',
      details: { name: 'bot', kind: 'serviceaccounts' },
    });
    const generated = await api.ask('POST', ACCOUNTS, { body: { metadata: { generateName: 'bot-' } } });
    expect(generated.body.metadata.name).toMatch(/^bot-.{5}$/);
  });

  test('a missing namespace answers 404, a foreign one or kind 400', async () => {
    const body = { metadata: { name: 'bot' } };
    expect((await api.ask('POST', '/api/v1/namespaces/none/secrets', { body })).status).toBe(404);
    const foreign = { metadata: { name: 'bot', namespace: 'other' } };
    expect((await api.ask('POST', ACCOUNTS, { body: foreign })).status).toBe(400);
    expect((await api.ask('POST', ACCOUNTS, { body: { kind: 'Secret', ...body } })).status).toBe(400);
  });
});

describe('read', () => {
  test('a missing object of a group is named with its group', async () => {
    const reply = await api.get('/apis/apps/v1/namespaces/shop/deployments/web');
    expect(reply.status).toBe(404);
    expect(reply.body).toMatchObject({
      reason: 'NotFound',
      message: 'deployments.apps "web" not found',
      details: { name: 'web', group: 'apps', kind: 'deployments' },
    });
  });

  test('metadata only', async () => {
    const accept = METADATA_ONLY;
    api.cluster.seed.secret('shop', 'password', { value: 'hunter2' });
    const one = await api.get(`${SECRETS}/password`, { accept });
    expect(one.body).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'password' } });
    expect(one.body).not.toHaveProperty('data');
    const list = await api.get(SECRETS, { accept: accept.replace('PartialObjectMetadata', '$&List') });
    expect(list.body.kind).toBe('PartialObjectMetadataList');
    expect(list.body.items[0]).toEqual(one.body);
    expect((await api.get(SECRETS, { accept })).status).toBe(406);
  });
});

describe('update', () => {
  test('with the current resource version it replaces, with an older one it answers 409', async () => {
    api.cluster.seed.serviceAccount('shop', 'bot');
    const { body: before } = await api.get(`${ACCOUNTS}/bot`);
    const changed = { ...before, automountServiceAccountToken: false };
    const first = await api.ask('PUT', `${ACCOUNTS}/bot`, { body: changed });
    expect(first.status).toBe(200);
    expect(first.body.metadata.uid).toBe(before.metadata.uid);
    const second = await api.ask('PUT', `${ACCOUNTS}/bot`, { body: { ...before, secrets: [] } });
    expect(second.status).toBe(409);
    expect(second.body.message).toContain('the object has been modified');
    expect((await api.get(`${ACCOUNTS}/bot`)).body).toEqual(first.body);
  });

  test('generation counts changes of the spec only', async () => {
    api.cluster.seed.deployment('shop', 'web', { replicas: 0 });
    const path = '/apis/apps/v1/namespaces/shop/deployments/web';
    const labelled = await api.patch(path, MERGE_PATCH, { metadata: { labels: { a: 'b' } } });
    expect(labelled.body.metadata.generation).toBe(1);
    const paused = await api.patch(path, MERGE_PATCH, { spec: { paused: true } });
    expect(paused.body.metadata.generation).toBe(2);
  });
});

describe('delete', () => {
  test.each([{ preconditions: { uid: 'another' } }, { preconditions: { resourceVersion: '1' } }])(
    '%j does not fit: 409, untouched',
    async (body) => {
      api.cluster.seed.secret('shop', 'kept', {});
      const before = api.cluster.get(`${SECRETS}/kept`);
      const reply = await api.ask('DELETE', `${SECRETS}/kept`, { body });
      expect(reply.status).toBe(409);
      expect(reply.body).toMatchObject({ reason: 'Conflict', details: { name: 'kept', kind: 'Secret' } });
      expect(reply.body.message).toContain('does not match the');
      expect(api.cluster.get(`${SECRETS}/kept`)).toEqual(before);
    },
  );

  test('fitting preconditions delete, and a second time answers 404', async () => {
    const { uid, resourceVersion } = api.cluster.seed.secret('shop', 'gone', {}).metadata;
    const body = { preconditions: { uid, resourceVersion } };
    const reply = await api.ask('DELETE', `${SECRETS}/gone`, { body });
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ kind: 'Status', status: 'Success', details: { name: 'gone', uid } });
    expect((await api.ask('DELETE', `${SECRETS}/gone`, { body })).status).toBe(404);
  });

  test('a finalizer holds the object until it is removed', async () => {
    api.cluster.seed.serviceAccount('shop', 'held', { finalizers: ['example.test/hold'] });
    const path = `${ACCOUNTS}/held`;
    const marked = await api.ask('DELETE', path);
    expect(marked.body.metadata.deletionTimestamp).toBe('2026-11-24T03:00:00Z');
    expect((await api.ask('POST', ACCOUNTS, { body: { metadata: { name: 'held' } } })).status).toBe(409);
    await api.patch(path, MERGE_PATCH, { metadata: { finalizers: null } });
    expect((await api.get(path)).status).toBe(404);
  });

  test('a deleted namespace takes its objects along', async () => {
    api.cluster.seed.secret('shop', 'inside', {});
    await api.ask('DELETE', '/api/v1/namespaces/shop');
    expect((await api.get(`${SECRETS}/inside`)).status).toBe(404);
  });
});

test('the request log tells who asked what, in order', async () => {
  await api.get(`${SECRETS}?limit=1`, { userAgent: 'tourniquet/0.1' });
  await api.patch(`${SECRETS}/none`, MERGE_PATCH, {});
  expect(api.cluster.requests).toEqual([
    {
      at: clock.now(),
      server: 0,
      method: 'GET',
      path: `${SECRETS}?limit=1`,
      status: 200,
      userAgent: 'tourniquet/0.1',
      contentType: '',
    },
    expect.objectContaining({ method: 'PATCH', status: 404, contentType: MERGE_PATCH }),
  ]);
});
