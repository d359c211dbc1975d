// The token subresource: what each kind of TokenRequest token says, and which requests are refused.
import { describe, expect, test } from 'vitest';
import { type Api, eventually } from './api.ts';
import { claimsOf, openRoom, type Room, SELF, SELF_REVIEW } from './room.ts';

const YEAR = 365 * 24 * 3600;
const KUBELET_SECONDS = 3607;
const EXTRA = 'authentication.kubernetes.io';

const refTo = ({ kind = '', metadata }: { kind?: string; metadata: { name: string; uid: string } }) => ({
  apiVersion: 'v1',
  kind,
  name: metadata.name,
  uid: metadata.uid,
});
const named = ({ metadata: { name, uid } }: { metadata: { name: string; uid: string } }) => ({ name, uid });

async function userOf(room: Room, token: string) {
  const { status, body } = await room.api.ask('POST', SELF_REVIEW, { token, body: SELF });
  expect(status).toBe(201);
  return body.status?.userInfo;
}

async function withAccount(api: Api) {
  const room = await openRoom(api);
  const account = await room.create('serviceaccounts', 'bot');
  return { room, account, base: { namespace: room.namespace, serviceaccount: named(account) } };
}

export function tokenRequests(api: () => Api): void {
  describe('a token', () => {
    test('bound to nothing is for the API server and an hour', async () => {
      const { room, account, base } = await withAccount(api());
      const { status, body } = await room.requestToken('bot');
      expect([status, body.kind, body.apiVersion]).toEqual([201, 'TokenRequest', 'authentication.k8s.io/v1']);
      const token = body.status?.token ?? '';
      const { 'kubernetes.io': kubernetes, ...claims } = claimsOf(token);
      expect(kubernetes).toEqual(base);
      const audience = (await room.review(token)).audiences;
      expect(claims).toEqual({
        aud: audience,
        iss: audience?.[0],
        sub: `system:serviceaccount:${room.namespace}:bot`,
        jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
        iat: expect.any(Number),
        nbf: claims.iat,
        exp: claims.iat + 3600,
      });
      expect(body.spec).toMatchObject({ audiences: audience, expirationSeconds: 3600 });
      expect(Date.parse(body.status?.expirationTimestamp ?? '') / 1000).toBe(claims.exp);
      expect(await userOf(room, token)).toEqual({
        username: claims.sub,
        uid: account.metadata.uid,
        groups: [
          'system:serviceaccounts',
          `system:serviceaccounts:${room.namespace}`,
          'system:authenticated',
        ],
        extra: { [`${EXTRA}/credential-id`]: [`JTI=${claims.jti}`] },
      });
    });

    test('of a Pod names the Pod and its Node', async () => {
      const { room, base } = await withAccount(api());
      const { pod, node } = await room.strandedPod('worker', 'bot');
      const token = await room.token('bot', { boundObjectRef: refTo(pod) });
      expect(claimsOf(token)['kubernetes.io']).toEqual({ ...base, pod: named(pod), node: named(node) });
      expect((await userOf(room, token))?.extra).toMatchObject({
        [`${EXTRA}/pod-name`]: ['worker'],
        [`${EXTRA}/pod-uid`]: [pod.metadata.uid],
        [`${EXTRA}/node-name`]: [node.metadata.name],
        [`${EXTRA}/node-uid`]: [node.metadata.uid],
      });
    });

    test('of a Secret names the Secret', async () => {
      const { room, base } = await withAccount(api());
      const secret = await room.create('secrets', 'anchor');
      const token = await room.token('bot', { boundObjectRef: refTo(secret) });
      expect(claimsOf(token)['kubernetes.io']).toEqual({ ...base, secret: named(secret) });
      expect(await room.probe(token)).toBe(201);
    });

    test('of a Node names the Node', async () => {
      const { room, base } = await withAccount(api());
      const { node } = await room.strandedPod('worker');
      const { uid: _, ...byName } = refTo(node);
      const token = await room.token('bot', { boundObjectRef: byName });
      expect(claimsOf(token)['kubernetes.io']).toEqual({ ...base, node: named(node) });
      expect((await userOf(room, token))?.extra).toMatchObject({
        [`${EXTRA}/node-name`]: [node.metadata.name],
        [`${EXTRA}/node-uid`]: [node.metadata.uid],
      });
    });

    test('for as long as a kubelet asks lasts a year in a Pod, and in nothing else', async () => {
      const { room } = await withAccount(api());
      const { pod } = await room.strandedPod('worker', 'bot');
      const life = async (spec: object) => {
        const reply = await room.requestToken('bot', { expirationSeconds: KUBELET_SECONDS, ...spec });
        const claims = claimsOf(reply.body.status?.token ?? '');
        const ends = Date.parse(reply.body.status?.expirationTimestamp ?? '') / 1000;
        const { warnafter } = claims['kubernetes.io'];
        return [claims.exp - claims.iat, warnafter && warnafter - claims.iat, ends - claims.iat];
      };
      const plain = [KUBELET_SECONDS, undefined, KUBELET_SECONDS];
      expect(await life({ boundObjectRef: refTo(pod) })).toEqual([YEAR, KUBELET_SECONDS, KUBELET_SECONDS]);
      expect(await life({})).toEqual(plain);
      expect(await life({ boundObjectRef: refTo(pod), audiences: ['vault'] })).toEqual(plain);
    });
  });

  refusedRequests(api);
}

function refusedRequests(api: () => Api): void {
  describe('a TokenRequest is refused', () => {
    test('for an object with another UID', async () => {
      const { room } = await withAccount(api());
      const { pod, node } = await room.strandedPod('worker', 'bot');
      for (const object of [pod, node, await room.create('secrets', 'anchor')]) {
        const ref = { ...refTo(object), uid: 'another' };
        expect(await room.requestToken('bot', { boundObjectRef: ref })).toMatchObject({
          status: 409,
          body: {
            reason: 'Conflict',
            message: `Operation cannot be fulfilled on ${ref.kind} "${ref.name}": the UID in the bound object reference (another) does not match the UID in record. The object might have been deleted and then recreated`,
            details: { name: ref.name, kind: ref.kind },
          },
        });
      }
    });

    test.each([
      ['Pod', 'pods'],
      ['Secret', 'secrets'],
      ['Node', 'nodes'],
    ])('for a missing %s', async (kind, plural) => {
      const { room } = await withAccount(api());
      const ref = { apiVersion: 'v1', kind, name: 'conformance-none' };
      expect(await room.requestToken('bot', { boundObjectRef: ref })).toMatchObject({
        status: 404,
        body: { reason: 'NotFound', message: `${plural} "conformance-none" not found` },
      });
    });

    test('for a Pod of another ServiceAccount, and for other kinds', async () => {
      const { room } = await withAccount(api());
      const { pod } = await room.strandedPod('worker');
      expect(await room.requestToken('bot', { boundObjectRef: refTo(pod) })).toMatchObject({
        status: 400,
        body: {
          message:
            'cannot bind token for serviceaccount "bot" to pod running with different serviceaccount name.',
        },
      });
      const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x' };
      expect(await room.requestToken('bot', { boundObjectRef: ref })).toMatchObject({
        status: 400,
        body: { message: 'cannot bind token to object of type /v1, Kind=ConfigMap' },
      });
    });

    test('for less than ten minutes, for a missing ServiceAccount, and without a body', async () => {
      const { room } = await withAccount(api());
      const short = await room.requestToken('bot', { expirationSeconds: 599 });
      expect(short).toMatchObject({ status: 422, body: { reason: 'Invalid' } });
      expect(short.body.message).toContain(
        'spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
      );
      expect(await room.requestToken('none')).toMatchObject({
        status: 404,
        body: { message: 'serviceaccounts "none" not found' },
      });
      expect((await api().ask('POST', `${room.at('serviceaccounts', 'bot')}/token`)).status).toBe(400);
      await eventually(async () => expect((await room.requestToken('default')).status).toBe(201));
    });
  });
}
