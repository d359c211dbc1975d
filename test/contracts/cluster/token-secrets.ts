// What the token controller does with Secrets of type service-account-token, and the signing keys that verify tokens offline.
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { type Api, eventually, MERGE_PATCH } from './api.ts';
import { ACCOUNT_NAME, base64, claimsOf, openRoom, TOKEN_TYPE } from './room.ts';

const ACCOUNT_UID = 'kubernetes.io/service-account.uid';

async function withAccount(api: Api) {
  const room = await openRoom(api);
  const account = await room.create('serviceaccounts', 'bot');
  return { room, uid: account.metadata.uid };
}

export function tokenSecrets(api: () => Api): void {
  describe('a token Secret', () => {
    test('is filled with the token, the CA and the namespace', async () => {
      const { room, uid } = await withAccount(api());
      const token = await room.tokenSecret('token', 'bot');
      const { metadata, type, data } = await room.read('secrets', 'token');
      expect(metadata.annotations).toEqual({ [ACCOUNT_NAME]: 'bot', [ACCOUNT_UID]: uid });
      expect(metadata).not.toHaveProperty('labels');
      expect(type).toBe(TOKEN_TYPE);
      expect(data).toEqual({
        'ca.crt': base64(api().caPem),
        namespace: base64(room.namespace),
        token: base64(token),
      });
      expect(claimsOf(token)).toEqual({
        iss: 'kubernetes/serviceaccount',
        sub: `system:serviceaccount:${room.namespace}:bot`,
        'kubernetes.io/serviceaccount/namespace': room.namespace,
        'kubernetes.io/serviceaccount/secret.name': 'token',
        'kubernetes.io/serviceaccount/service-account.name': 'bot',
        'kubernetes.io/serviceaccount/service-account.uid': uid,
      });
    });

    test('is filled again when its token is blanked: with RSA by the same token', async () => {
      const { room } = await withAccount(api());
      const token = await room.tokenSecret('token', 'bot');
      const body = { data: { token: null } };
      await api().ask('PATCH', room.at('secrets', 'token'), { body, type: MERGE_PATCH });
      const again = await room.tokenIn('token');
      expect(again === token).toBe(decodeProtectedHeader(token).alg === 'RS256');
      await room.lives(again);
    });

    test('made again under its name holds the same token with RSA, and not with ECDSA', async () => {
      const { room } = await withAccount(api());
      const token = await room.tokenSecret('token', 'bot');
      await room.remove('secrets', 'token');
      await room.dies(token);
      const again = await room.tokenSecret('token', 'bot');
      const same = decodeProtectedHeader(token).alg === 'RS256';
      expect(again === token).toBe(same);
      await room.lives(again);
      expect(await room.probe(token)).toBe(same ? 201 : 401);
    });

    test('goes with its ServiceAccount, and does not come back', async () => {
      const { room, uid } = await withAccount(api());
      const token = await room.tokenSecret('token', 'bot');
      await room.create('secrets', 'bystander');
      await room.remove('serviceaccounts', 'bot');
      expect((await room.create('serviceaccounts', 'bot')).metadata.uid).not.toBe(uid);
      await room.gone('secrets', 'token');
      expect(await room.exists('secrets', 'bystander')).toBe(true);
      expect(await room.tokenSecret('token', 'bot')).not.toBe(token);
    });

    test('without a ServiceAccount, or for an earlier one, is removed', async () => {
      const { room } = await withAccount(api());
      const orphan = (name: string, annotations: object) =>
        room.create('secrets', name, { type: TOKEN_TYPE, metadata: { annotations } });
      await orphan('nobody', { [ACCOUNT_NAME]: 'none' });
      await orphan('earlier', { [ACCOUNT_NAME]: 'bot', [ACCOUNT_UID]: 'another' });
      await room.gone('secrets', 'nobody');
      await room.gone('secrets', 'earlier');
    });
  });

  describe('the published keys', () => {
    test('verify legacy and bound tokens offline, and name them by kid', async () => {
      const { room } = await withAccount(api());
      const reply = await api().ask('GET', '/openid/v1/jwks', { accept: 'application/jwk-set+json' });
      expect([reply.status, reply.contentType]).toEqual([200, 'application/jwk-set+json']);
      const set = reply.body as unknown as JSONWebKeySet;
      const keys = createLocalJWKSet(set);
      for (const token of [await room.tokenSecret('token', 'bot'), await room.token('bot')]) {
        const { payload, protectedHeader } = await jwtVerify(token, keys);
        expect(payload.sub).toBe(`system:serviceaccount:${room.namespace}:bot`);
        const key = set.keys.find(({ kid }) => kid === protectedHeader.kid);
        expect(key).toMatchObject({ use: 'sig', alg: protectedHeader.alg });
        expect(Object.keys(protectedHeader).sort()).toEqual(['alg', 'kid']);
        const forged = `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(342)}`;
        await expect(jwtVerify(forged, keys)).rejects.toThrow('signature');
      }
    });

    test('come with the issuer of bound tokens', async () => {
      const { room } = await withAccount(api());
      const reply = await api().ask('GET', '/.well-known/openid-configuration');
      const { alg } = decodeProtectedHeader(await room.token('bot'));
      expect(reply.body).toMatchObject({
        issuer: (await room.review(await room.token('bot'))).audiences?.[0],
        jwks_uri: expect.stringMatching(/^https:\/\/.*\/openid\/v1\/jwks$/),
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: [alg],
      });
    });

    test('are served as what they are', async () => {
      for (const accept of ['*/*', 'application/jwk-set+json', 'application/jwk-set+json, application/json'])
        expect((await api().ask('GET', '/openid/v1/jwks', { accept })).status).toBe(200);
    });

    test('are not served as plain JSON', async () => {
      const { status, body } = await api().ask('GET', '/openid/v1/jwks', { accept: 'application/json' });
      expect([status, body.reason]).toEqual([406, 'NotAcceptable']);
    });
  });

  test('the default ServiceAccount is not shared between namespaces', async () => {
    const [one, two] = [await openRoom(api()), await openRoom(api())];
    const tokens = [await one.tokenSecret('token', 'default'), await two.tokenSecret('token', 'default')];
    expect(tokens[0]).not.toBe(tokens[1]);
    await one.remove('serviceaccounts', 'default');
    await one.dies(tokens[0] ?? '');
    await eventually(async () => expect(await two.probe(tokens[1] ?? '')).toBe(201));
  });
}
