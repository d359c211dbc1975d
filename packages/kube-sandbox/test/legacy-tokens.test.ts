// Long-lived tokens: what kills them, what does not, and what brings them back.
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterEach, describe, expect, test } from 'vitest';
import { type ClusterOptions, startCluster } from '../src/cluster/cluster.ts';
import { generateSigningKey } from '../src/cluster/tokens/tokens.ts';
import { Api, base64, claimsOf, eventually, JSON_PATCH, MERGE_PATCH, TestClock } from './api.ts';

const SECRET = '/api/v1/namespaces/shop/secrets/ci-token';
const ACCOUNT = '/api/v1/namespaces/shop/serviceaccounts/ci';
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';
const LAST_USED = 'kubernetes.io/legacy-token-last-used';
const rsa = generateSigningKey('RS256');
const OFF = { tokenCacheMs: 0, keys: { bound: rsa, legacy: rsa } };
const OWN_KEYS = { tokenCacheMs: 0 };

let api: Api;
afterEach(() => api.close());

async function leak(options: ClusterOptions = OFF): Promise<string> {
  api = new Api(await startCluster(options));
  api.cluster.seed.namespace('shop');
  api.cluster.seed.serviceAccount('shop', 'ci');
  return api.cluster.seed.tokenSecret('shop', 'ci-token', 'ci');
}

function label(value: string | null): Promise<{ status: number }> {
  return api.patch(SECRET, MERGE_PATCH, { metadata: { labels: { [INVALID_SINCE]: value } } });
}

test('the token carries the claims, key id and issuer of a real one, and verifies against the JWKS', async () => {
  const token = await leak();
  const { uid } = api.cluster.get(ACCOUNT)?.metadata ?? {};
  expect(claimsOf(token)).toEqual({
    iss: 'kubernetes/serviceaccount',
    'kubernetes.io/serviceaccount/namespace': 'shop',
    'kubernetes.io/serviceaccount/secret.name': 'ci-token',
    'kubernetes.io/serviceaccount/service-account.name': 'ci',
    'kubernetes.io/serviceaccount/service-account.uid': uid,
    sub: 'system:serviceaccount:shop:ci',
  });
  const { body } = await api.get('/openid/v1/jwks');
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'RS256', kid: body.keys[0].kid });
  const verified = await jwtVerify(token, createLocalJWKSet(body as { keys: [] }));
  expect(verified.payload.sub).toBe('system:serviceaccount:shop:ci');
});

test('discovery hides the key of legacy tokens where they have their own', async () => {
  const token = await leak({ ...OWN_KEYS, legacyKeysInJwks: false });
  const { body } = await api.get('/openid/v1/jwks');
  expect(body.keys.map(({ kid }: { kid: string }) => kid)).not.toContain(decodeProtectedHeader(token).kid);
  expect(await api.probe(token)).toBe(201);
});

test('the controller fills in CA and namespace next to the token', async () => {
  const token = await leak();
  const secret = (await api.get(SECRET)).body;
  expect(secret.data).toEqual({
    token: base64(token),
    namespace: base64('shop'),
    'ca.crt': base64(api.cluster.caPem),
  });
  expect(secret.metadata.annotations['kubernetes.io/service-account.uid']).toBe(
    api.cluster.get(ACCOUNT)?.metadata.uid,
  );
});

test('the invalid-since label kills it, removing the label brings it back', async () => {
  const token = await leak();
  expect(await api.probe(token)).toBe(201);
  await label('2026-11-24');
  expect(await api.probe(token)).toBe(401);
  const review = await api.tokenReview(token);
  expect(review).not.toHaveProperty('authenticated');
  expect(review.error).toMatch(
    /^\[invalid bearer token, the token in secret shop\/ci-token .*marked invalid/,
  );
  await label('');
  expect(await api.probe(token)).toBe(201);
  await label('anything');
  expect(await api.probe(token)).toBe(401);
  await label(null);
  expect(await api.probe(token)).toBe(201);
});

test('API servers before 1.29 ignore the label', async () => {
  const token = await leak({ ...OFF, servers: 2, version: ['1.28.15', '1.29.0'] });
  await label('2026-11-24');
  expect(await api.probe(token, 0)).toBe(201);
  expect(await api.probe(token, 1)).toBe(401);
  expect((await api.get('/version', { token: '', server: 0 })).body.gitVersion).toBe('v1.28.15');
});

describe('deleting the Secret and creating it again under the same name', () => {
  test('revives an RSA token byte for byte', async () => {
    const token = await leak();
    await api.ask('DELETE', SECRET);
    expect(await api.probe(token)).toBe(401);
    expect(await api.cluster.seed.tokenSecret('shop', 'ci-token', 'ci')).toBe(token);
    expect(await api.probe(token)).toBe(201);
  });

  test('makes a different token with ECDSA, and the leaked one stays dead', async () => {
    const token = await leak({ ...OWN_KEYS, signing: 'ES256' });
    expect(await api.probe(token)).toBe(201);
    await api.ask('DELETE', SECRET);
    const fresh = await api.cluster.seed.tokenSecret('shop', 'ci-token', 'ci');
    expect(fresh).not.toBe(token);
    expect(await api.probe(token)).toBe(401);
    expect((await api.tokenReview(token)).error).toContain("Token does not match server's copy");
    expect(await api.probe(fresh)).toBe(201);
  });
});

test('a blanked token is made again', async () => {
  const token = await leak();
  const blanked = await api.patch(SECRET, JSON_PATCH, [{ op: 'remove', path: '/data/token' }]);
  expect(blanked.body.data).not.toHaveProperty('token');
  await eventually(() => api.cluster.get(SECRET)?.data).toHaveProperty('token', base64(token));
});

test('a backup put back at that name revives it, whatever its type', async () => {
  const token = await leak();
  await api.ask('DELETE', SECRET);
  expect(await api.probe(token)).toBe(401);
  const body = { metadata: { name: 'ci-token' }, type: 'Opaque', stringData: { token } };
  await api.ask('POST', '/api/v1/namespaces/shop/secrets', { body });
  expect(await api.probe(token)).toBe(201);
});

test('deleting the ServiceAccount removes its token Secrets; a new account does not revive the token', async () => {
  const token = await leak();
  await api.ask('DELETE', ACCOUNT);
  await api.ask('POST', '/api/v1/namespaces/shop/serviceaccounts', { body: { metadata: { name: 'ci' } } });
  await eventually(() => api.cluster.get(SECRET)).toBeUndefined();
  expect(await api.cluster.seed.tokenSecret('shop', 'ci-token', 'ci')).not.toBe(token);
  expect(await api.probe(token)).toBe(401);
});

test('a token Secret that names an older UID of its ServiceAccount is removed', async () => {
  await leak();
  const annotations = {
    'kubernetes.io/service-account.name': 'ci',
    'kubernetes.io/service-account.uid': 'an older one',
  };
  const metadata = { name: 'stale', annotations };
  const path = '/api/v1/namespaces/shop/secrets';
  await api.ask('POST', path, { body: { metadata, type: 'kubernetes.io/service-account-token' } });
  await eventually(() => api.cluster.get(`${path}/stale`)).toBeUndefined();
});

test('a Secret that is being deleted kills it at once, finalizer or not', async () => {
  const token = await leak();
  await api.patch(SECRET, MERGE_PATCH, { metadata: { finalizers: ['example.test/hold'] } });
  await api.ask('DELETE', SECRET);
  expect(api.cluster.get(SECRET)?.metadata.deletionTimestamp).toBeDefined();
  expect((await api.tokenReview(token)).error).toBe('[invalid bearer token, Token has been invalidated]');
});

test('`default` ServiceAccounts come back with a new UID', async () => {
  await leak();
  const path = '/api/v1/namespaces/shop/serviceaccounts/default';
  await eventually(() => api.cluster.get(path)).toBeDefined();
  const before = api.cluster.get(path)?.metadata.uid;
  await api.ask('DELETE', path);
  await eventually(() => api.cluster.get(path)?.metadata.uid).toEqual(
    expect.not.stringMatching(before ?? ''),
  );
});

test('use leaves a date on the Secret: by requests, by TokenReview, and when refused as invalidated', async () => {
  const clock = new TestClock();
  const token = await leak({ ...OFF, now: clock.now });
  const lastUsed = (): string | undefined => api.cluster.get(SECRET)?.metadata.labels?.[LAST_USED];
  expect(lastUsed()).toBeUndefined();
  await api.probe(token);
  expect(lastUsed()).toBe('2026-11-24');
  clock.advance(24 * 3600);
  await api.tokenReview(token);
  expect(lastUsed()).toBe('2026-11-25');
  await label('2026-11-25');
  clock.advance(24 * 3600);
  expect(await api.probe(token)).toBe(401);
  expect(lastUsed()).toBe('2026-11-26');
});

test('a forged token is refused', async () => {
  const token = await leak();
  const other = await startCluster({ signing: 'RS256', objects: api.cluster.objects() });
  const impostor = new Api(other);
  await other.seed.tokenSecret('shop', 'other-token', 'ci');
  expect(await impostor.probe(token)).toBe(401);
  expect((await impostor.tokenReview(token)).error).toContain('no keys found');
  const [header, , signature] = token.split('.');
  const forged = Buffer.from(JSON.stringify({ ...claimsOf(token), sub: 'system:serviceaccount:shop:root' }));
  expect(await api.probe(`${header}.${forged.toString('base64url')}.${signature}`)).toBe(401);
  expect((await api.tokenReview('nonsense')).error).toBe('invalid bearer token');
  await impostor.close();
});

test('a clone with the same keys and objects accepts it too, and dies separately', async () => {
  const token = await leak();
  const clone = new Api(await startCluster({ ...OFF, objects: api.cluster.objects() }));
  expect(await clone.probe(token)).toBe(201);
  await api.ask('DELETE', SECRET);
  expect(await api.probe(token)).toBe(401);
  expect(await clone.probe(token)).toBe(201);
  await clone.close();
});
