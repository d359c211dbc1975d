// Each API server remembers an accepted token for ten seconds: why the kill comes first and the probe after.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startCluster } from '../src/cluster/cluster.ts';
import { Api, TestClock } from './api.ts';

const SECRET = '/api/v1/namespaces/shop/secrets/ci-token';

let clock: TestClock;
let api: Api;
let token: string;

beforeEach(async () => {
  clock = new TestClock();
  api = new Api(await startCluster({ servers: 2, now: clock.now, signing: 'ES256' }));
  api.cluster.seed.namespace('shop');
  api.cluster.seed.serviceAccount('shop', 'ci');
  token = await api.cluster.seed.tokenSecret('shop', 'ci-token', 'ci');
});
afterEach(() => api.close());

test('cold: the first probe after the kill is refused', async () => {
  await api.ask('DELETE', SECRET);
  expect(await api.probe(token, 0)).toBe(401);
  expect(await api.probe(token, 1)).toBe(401);
});

test('warm: the token lives on for ten seconds, only on the server that saw it', async () => {
  expect(await api.probe(token, 0)).toBe(201);
  await api.ask('DELETE', SECRET);
  clock.advance(9);
  expect(await api.probe(token, 0)).toBe(201);
  expect(await api.probe(token, 1)).toBe(401);
  clock.advance(1);
  expect(await api.probe(token, 0)).toBe(401);
});

test('use does not prolong it', async () => {
  await api.probe(token);
  clock.advance(9);
  await api.probe(token);
  await api.ask('DELETE', SECRET);
  clock.advance(1);
  expect(await api.probe(token)).toBe(401);
});

test('a TokenReview warms the same cache, for the audiences it asked about', async () => {
  const unrelated = await api.tokenReview(token, ['vault']);
  expect(unrelated).not.toHaveProperty('authenticated');
  expect((await api.tokenReview(token)).authenticated).toBe(true);
  await api.ask('DELETE', SECRET);
  expect(await api.probe(token)).toBe(201);
  expect(await api.tokenReview(token, [], 1)).not.toHaveProperty('authenticated');
});

test('audiences have entries of their own', async () => {
  api.cluster.seed.secret('shop', 'anchor', {});
  const bound = api.cluster.seed.requestToken('shop', 'ci', {
    audiences: ['vault', 'https://kubernetes.default.svc.cluster.local'],
    boundObjectRef: { kind: 'Secret', name: 'anchor' },
  });
  expect((await api.tokenReview(bound, ['vault'])).authenticated).toBe(true);
  await api.ask('DELETE', '/api/v1/namespaces/shop/secrets/anchor');
  expect(await api.probe(bound)).toBe(401);
  expect((await api.tokenReview(bound, ['vault'])).authenticated).toBe(true);
});

test('failures are not remembered', async () => {
  const secret = api.cluster.get(SECRET);
  await api.ask('DELETE', SECRET);
  expect(await api.probe(token)).toBe(401);
  const body = { metadata: { name: 'ci-token' }, data: secret?.data };
  await api.ask('POST', '/api/v1/namespaces/shop/secrets', { body });
  expect(await api.probe(token)).toBe(201);
});
