// TokenRequest tokens: bound to a Pod, a Secret, a Node or nothing; expiry, leeway and audiences.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startCluster } from '../src/cluster/cluster.ts';
import { Api, claimsOf, eventually, type Json, TestClock } from './api.ts';

const ISSUER = 'https://kubernetes.default.svc.cluster.local';
const POD = '/api/v1/namespaces/shop/pods/web';

let clock: TestClock;
let api: Api;

beforeEach(async () => {
  clock = new TestClock();
  const cluster = await startCluster({
    tokenCacheMs: 0,
    now: clock.now,
    signing: 'ES256',
    // Containers that ignore the signal to stop: the Pod stays for its whole grace period.
    podStopMs: Number.POSITIVE_INFINITY,
  });
  api = new Api(cluster);
  cluster.seed.namespace('shop');
  cluster.seed.serviceAccount('shop', 'ci');
});
afterEach(() => api.close());

async function request(spec: Json): Promise<{ status: number; body: Json; token: string }> {
  const path = '/api/v1/namespaces/shop/serviceaccounts/ci/token';
  const { status, body } = await api.ask('POST', path, { body: { spec } });
  return { status, body, token: body.status?.token ?? '' };
}

async function runningPod(finalizers?: string[], spec = {}): Promise<string> {
  api.cluster.seed.pod('shop', 'web', { serviceAccount: 'ci', ...(finalizers && { finalizers }) });
  await eventually(() => api.cluster.get(POD)?.status).toHaveProperty('phase', 'Running');
  return (await request({ ...spec, boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web' } })).token;
}

test('the claims of an unbound token', async () => {
  const { token, body } = await request({ expirationSeconds: 600 });
  const now = clock.now() / 1000;
  const uid = api.cluster.get('/api/v1/namespaces/shop/serviceaccounts/ci')?.metadata.uid;
  expect(claimsOf(token)).toEqual({
    aud: [ISSUER],
    exp: now + 600,
    iat: now,
    nbf: now,
    iss: ISSUER,
    jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
    'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'ci', uid } },
    sub: 'system:serviceaccount:shop:ci',
  });
  expect(body.status.expirationTimestamp).toBe('2026-11-24T03:10:00Z');
});

test('who the token is: user, groups and credential id', async () => {
  const token = await runningPod();
  const { user } = await api.tokenReview(token);
  const claims = claimsOf(token);
  expect(user.username).toBe('system:serviceaccount:shop:ci');
  expect(user.groups).toEqual([
    'system:serviceaccounts',
    'system:serviceaccounts:shop',
    'system:authenticated',
  ]);
  expect(user.extra).toMatchObject({
    'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
    'authentication.kubernetes.io/pod-name': ['web'],
    'authentication.kubernetes.io/pod-uid': [claims['kubernetes.io'].pod.uid],
    'authentication.kubernetes.io/node-name': ['node-1'],
  });
});

test('the hour of a projected token is really a year', async () => {
  const token = await runningPod([], { expirationSeconds: 3607 });
  const { exp, iat, 'kubernetes.io': bound } = claimsOf(token);
  expect(exp - iat).toBe(365 * 24 * 3600);
  expect(bound.warnafter - iat).toBe(3607);
});

test('expiry has a minute of leeway', async () => {
  const { token } = await request({ expirationSeconds: 600 });
  clock.advance(600 + 60);
  expect(await api.probe(token)).toBe(201);
  clock.advance(1);
  expect(await api.probe(token)).toBe(401);
  expect((await api.tokenReview(token)).error).toContain('service account token has expired');
});

test('the ServiceAccount, deleted and created again, kills it', async () => {
  const { token } = await request({});
  const path = '/api/v1/namespaces/shop/serviceaccounts';
  await api.ask('DELETE', `${path}/ci`);
  expect((await api.tokenReview(token)).error).toContain('serviceaccounts "ci" not found');
  await api.ask('POST', path, { body: { metadata: { name: 'ci' } } });
  expect((await api.tokenReview(token)).error).toMatch(/service account UID \(.*\) does not match claim/);
});

test('a ServiceAccount held by a finalizer keeps its tokens for a minute', async () => {
  const path = '/api/v1/namespaces/shop/serviceaccounts/held';
  api.cluster.seed.serviceAccount('shop', 'held', { finalizers: ['example.test/hold'] });
  const token = api.cluster.seed.requestToken('shop', 'held');
  expect((await api.ask('DELETE', path)).body.metadata.deletionTimestamp).toBe('2026-11-24T03:00:00Z');
  clock.advance(60);
  expect(await api.probe(token)).toBe(201);
  clock.advance(1);
  expect((await api.tokenReview(token)).error).toContain('service account shop/held has been deleted');
});

test('a Secret-bound token dies with its Secret, also when the name is taken again', async () => {
  api.cluster.seed.secret('shop', 'anchor', {});
  const { token } = await request({ boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: 'anchor' } });
  expect(await api.probe(token)).toBe(201);
  await api.ask('DELETE', '/api/v1/namespaces/shop/secrets/anchor');
  expect((await api.tokenReview(token)).error).toBe(
    '[invalid bearer token, service account token has been invalidated]',
  );
  api.cluster.seed.secret('shop', 'anchor', {});
  expect((await api.tokenReview(token)).error).toMatch(/secret UID \(.*\) does not match service account/);
});

test('a Node-bound token dies with its Node', async () => {
  const { token } = await request({ boundObjectRef: { kind: 'Node', apiVersion: 'v1', name: 'node-1' } });
  expect(await api.probe(token)).toBe(201);
  await api.ask('DELETE', '/api/v1/nodes/node-1');
  expect(await api.probe(token)).toBe(401);
});

test('a Pod-bound token survives the deleted Node and lives until its Pod is gone', async () => {
  const token = await runningPod();
  await api.ask('DELETE', '/api/v1/nodes/node-1');
  const deleted = await api.ask('DELETE', `${POD}?gracePeriodSeconds=20`);
  expect(deleted.body.metadata.deletionTimestamp).toBe('2026-11-24T03:00:20Z');
  clock.advance(19);
  expect(await api.probe(token)).toBe(201);
  clock.advance(1);
  expect((await api.get(POD)).status).toBe(404);
  expect(await api.probe(token)).toBe(401);
});

test('a Pod that lingers keeps its token until grace + 60 s after the request, and force does not help', async () => {
  const token = await runningPod(['example.test/hold']);
  await api.ask('DELETE', POD, { body: { gracePeriodSeconds: 20 } });
  clock.advance(19);
  expect((await api.get(POD)).body.metadata.deletionTimestamp).toBe('2026-11-24T03:00:20Z');
  await api.ask('DELETE', `${POD}?gracePeriodSeconds=0`);
  // A shorter second deletion moves the time to the first request plus the new grace.
  expect((await api.get(POD)).body.metadata.deletionTimestamp).toBe('2026-11-24T03:00:00Z');
  clock.advance(41);
  expect(await api.probe(token)).toBe(201);
  clock.advance(1);
  expect(await api.probe(token)).toBe(401);
});

test('force removes the Pod and its token at once', async () => {
  const token = await runningPod();
  await api.ask('DELETE', POD, { body: { gracePeriodSeconds: 0 } });
  expect(api.cluster.get(POD)).toBeUndefined();
  expect(await api.probe(token)).toBe(401);
});

test('another audience: useless here, and a TokenReview must name it', async () => {
  const { token } = await request({ audiences: ['vault', 'registry'] });
  expect(await api.probe(token)).toBe(401);
  expect((await api.tokenReview(token)).error).toBe(
    `[invalid bearer token, token audiences ["vault" "registry"] is invalid for the target audiences ["${ISSUER}"]]`,
  );
  const review = await api.tokenReview(token, ['vault', 'other']);
  expect(review).toMatchObject({ authenticated: true, audiences: ['vault'] });
});

test('what a TokenRequest refuses', async () => {
  expect((await request({ expirationSeconds: 60 })).status).toBe(422);
  api.cluster.seed.pod('shop', 'other', { serviceAccount: 'default' });
  const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'other' };
  expect((await request({ boundObjectRef })).body.message).toContain('different serviceaccount name');
  expect((await request({ boundObjectRef: { kind: 'Secret', name: 'gone' } })).status).toBe(404);
  const wrongUid = { kind: 'Node', name: 'node-1', uid: 'another' };
  expect((await request({ boundObjectRef: wrongUid })).status).toBe(409);
});
