// Patches, above all the conditional quarantine: it must apply completely to the leaked token and touch nothing else.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startCluster } from '../src/cluster/cluster.ts';
import { Api, base64, JSON_PATCH, MERGE_PATCH, METADATA_ONLY } from './api.ts';

const SECRET = '/api/v1/namespaces/shop/secrets/leaked';
const LABEL = 'kubernetes.io/legacy-token-invalid-since';
const POINTER = `/metadata/labels/${LABEL.replace('/', '~1')}`;
const STRATEGIC = 'application/strategic-merge-patch+json';
const DAY = '2026-11-24';

const sameToken = { op: 'test', path: '/data/token', value: base64('leaked') };
const otherToken = { op: 'test', path: '/data/token', value: base64('healthy') };
const noLabels = { op: 'test', path: '/metadata/labels', value: null };
const addMap = { op: 'add', path: '/metadata/labels', value: { [LABEL]: DAY } };
const addKey = { op: 'add', path: POINTER, value: DAY };

let api: Api;
beforeAll(async () => {
  api = new Api(await startCluster({ signing: 'ES256' }));
  api.cluster.seed.namespace('shop');
});
afterAll(() => api.close());

const stored = (): unknown => api.cluster.get(SECRET);

async function freshSecret(labels?: Record<string, string>): Promise<void> {
  if (stored() !== undefined) await api.ask('DELETE', SECRET);
  api.cluster.seed.secret('shop', 'leaked', { token: 'leaked' }, labels === undefined ? {} : { labels });
}

describe('the conditional quarantine', () => {
  test.each([
    { name: 'no labels, map added', labels: undefined, patch: [sameToken, noLabels, addMap] },
    { name: 'labels there, key added', labels: { team: 'shop' }, patch: [sameToken, addKey] },
  ])('applies: $name', async ({ labels, patch }) => {
    await freshSecret(labels);
    const reply = await api.patch(SECRET, JSON_PATCH, patch, METADATA_ONLY);
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' });
    expect(reply.body.metadata.labels).toEqual({ ...labels, [LABEL]: DAY });
    expect(JSON.stringify(reply.body)).not.toContain(base64('leaked'));
    expect(stored()).toMatchObject({ metadata: { labels: { [LABEL]: DAY } } });
  });

  test.each([
    { name: 'another token', labels: undefined, patch: [otherToken, noLabels, addMap] },
    { name: 'another token, labels there', labels: { team: 'shop' }, patch: [otherToken, addKey] },
    {
      name: 'map expected missing, but there',
      labels: { team: 'shop' },
      patch: [sameToken, noLabels, addMap],
    },
    { name: 'map expected there, but missing', labels: undefined, patch: [sameToken, addKey] },
    {
      name: 'test of a missing member',
      labels: undefined,
      patch: [{ ...sameToken, path: '/data/gone' }, addMap],
    },
  ])('answers 422 and touches nothing: $name', async ({ labels, patch }) => {
    await freshSecret(labels);
    const before = stored();
    const reply = await api.patch(SECRET, JSON_PATCH, patch, METADATA_ONLY);
    expect(reply.status).toBe(422);
    expect(reply.body).toMatchObject({
      kind: 'Status',
      status: 'Failure',
      reason: 'Invalid',
      code: 422,
      message: 'the server rejected our request due to an error in our request',
    });
    expect(stored()).toEqual(before);
  });

  test('a missing Secret answers 404', async () => {
    const reply = await api.patch(`${SECRET}-gone`, JSON_PATCH, [sameToken, addKey]);
    expect(reply.status).toBe(404);
    expect(reply.body.message).toBe('secrets "leaked-gone" not found');
  });
});

describe('JSON Patch operations', () => {
  beforeEach(() => freshSecret({ team: 'shop' }));

  test.each([
    ['remove a key', [{ op: 'remove', path: '/metadata/labels/team' }], undefined],
    ['replace a value', [{ op: 'replace', path: '/metadata/labels/team', value: 'x' }], { team: 'x' }],
  ])('%s', async (_name, patch, labels) => {
    const reply = await api.patch(SECRET, JSON_PATCH, patch);
    expect(reply.status).toBe(200);
    expect(reply.body.metadata.labels).toEqual(labels);
  });

  test('lists: insert, append, replace, remove by index', async () => {
    const finalizers = async (patch: unknown): Promise<unknown> =>
      (await api.patch(SECRET, JSON_PATCH, patch)).body.metadata?.finalizers;
    expect(await finalizers([{ op: 'add', path: '/metadata/finalizers', value: ['t/b'] }])).toEqual(['t/b']);
    expect(await finalizers([{ op: 'add', path: '/metadata/finalizers/0', value: 't/a' }])).toEqual([
      't/a',
      't/b',
    ]);
    expect(await finalizers([{ op: 'add', path: '/metadata/finalizers/-', value: 't/c' }])).toHaveLength(3);
    expect(await finalizers([{ op: 'remove', path: '/metadata/finalizers/1' }])).toEqual(['t/a', 't/c']);
    expect(await finalizers([{ op: 'replace', path: '/metadata/finalizers/1', value: 't/d' }])).toEqual([
      't/a',
      't/d',
    ]);
    expect(await finalizers([{ op: 'add', path: '/metadata/finalizers/9', value: 't/e' }])).toBeUndefined();
    expect(await finalizers([{ op: 'add', path: '/metadata/finalizers', value: [] }])).toBeUndefined();
    expect((await api.get(SECRET)).body.metadata).not.toHaveProperty('finalizers');
  });

  test.each([
    ['remove of a missing key', 422, [{ op: 'remove', path: '/metadata/labels/none' }]],
    ['not a list', 400, { op: 'remove', path: '/metadata/labels/team' }],
    ['not modelled', 501, [{ op: 'move', from: '/metadata/labels/team', path: '/metadata/labels/x' }]],
  ])('%s answers %i', async (_name, status, patch) => {
    const before = stored();
    expect((await api.patch(SECRET, JSON_PATCH, patch)).status).toBe(status);
    expect(stored()).toEqual(before);
  });
});

describe('merge patches', () => {
  beforeEach(() => freshSecret({ team: 'shop' }));

  test.each([MERGE_PATCH, STRATEGIC])('%s sets and removes keys of maps', async (type) => {
    const labels = { team: null, tier: 'front' };
    const { status, body } = await api.patch(SECRET, type, { metadata: { labels } });
    expect(status).toBe(200);
    expect(body.metadata.labels).toEqual({ tier: 'front' });
  });

  test('strategic merge of lists is not modelled, and says so', async () => {
    const reply = await api.patch(SECRET, STRATEGIC, { metadata: { finalizers: ['t/a'] } });
    expect(reply.status).toBe(501);
    expect(reply.body.message).toContain('strategic merge patches that hold lists');
  });

  test('a stale resourceVersion or another UID in the patch is refused and touches nothing', async () => {
    const before = stored();
    const refused = [
      [{ resourceVersion: '1' }, 409, 'Conflict'],
      [{ uid: 'another' }, 422, 'Invalid'],
    ] as const;
    for (const [metadata, status, reason] of refused) {
      const reply = await api.patch(SECRET, MERGE_PATCH, { metadata: { ...metadata, labels: { x: 'y' } } });
      expect([reply.status, reply.body.reason]).toEqual([status, reason]);
    }
    expect(stored()).toEqual(before);
  });

  test('a patch that changes nothing leaves the resource version alone', async () => {
    const before = stored();
    const reply = await api.patch(SECRET, MERGE_PATCH, { metadata: { labels: { team: 'shop' } } });
    expect(reply.body).toEqual(before);
  });
});
