// Who may ask, what the server says about who may do what, and which kinds it says it knows.
import { describe, expect, test } from 'vitest';
import { resources } from '../../../src/domain/kubernetes/resources.ts';
import type { Api, Body } from './api.ts';
import { openRoom, type Room, SELF, SELF_REVIEW } from './room.ts';

const AUTHORIZATION = '/apis/authorization.k8s.io/v1';
const RBAC = 'rbac.authorization.k8s.io';

export function access(api: () => Api): void {
  describe('somebody without a credential', () => {
    test.each(['/version', '/readyz', '/healthz', '/livez'])('may read %s', async (path) => {
      expect((await api().ask('GET', path, { token: null })).status).toBe(200);
    });

    test('may read nothing else, and is told whom it was taken for', async () => {
      const { status, body } = await api().ask('GET', '/api/v1/namespaces/default/secrets', { token: null });
      expect([status, body.reason, body.message]).toEqual([
        403,
        'Forbidden',
        'secrets is forbidden: User "system:anonymous" cannot list resource "secrets" in API group "" in the namespace "default"',
      ]);
      for (const path of ['/openid/v1/jwks', '/.well-known/openid-configuration', '/apis'])
        expect((await api().ask('GET', path, { token: null })).status).toBe(403);
      const post = { token: null, body: SELF };
      expect((await api().ask('POST', SELF_REVIEW, post)).status).toBe(403);
    });
  });

  test('a token that is none is refused everywhere', async () => {
    for (const path of ['/api/v1/namespaces/default/secrets', '/version', '/apis/none/v1/things']) {
      const { status, body } = await api().ask('GET', path, { token: 'nonsense' });
      expect([status, body.kind, body.reason, body.message]).toEqual([
        401,
        'Status',
        'Unauthorized',
        'Unauthorized',
      ]);
    }
  });

  reviews(api);
  discovery(api);
}

async function withReader(api: Api): Promise<Room> {
  const room = await openRoom(api);
  const rules = [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['one'], verbs: ['get'] }];
  await room.create('serviceaccounts', 'bot');
  await room.create('roles', 'reader', { rules });
  await room.create('rolebindings', 'bot-reads', {
    roleRef: { apiGroup: RBAC, kind: 'Role', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', name: 'bot', namespace: room.namespace }],
  });
  return room;
}

function reviews(api: () => Api): void {
  describe('a review of access', () => {
    test('follows bindings, and names the one that allows it', async () => {
      const room = await withReader(api());
      const { namespace } = room;
      const review = async (attributes: object): Promise<Body['status']> => {
        const resourceAttributes = { namespace, resource: 'secrets', name: 'one', ...attributes };
        const user = `system:serviceaccount:${namespace}:bot`;
        const spec = { user, groups: ['system:authenticated'], resourceAttributes };
        const body = { kind: 'SubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', spec };
        const reply = await api().ask('POST', `${AUTHORIZATION}/subjectaccessreviews`, { body });
        expect(reply.status).toBe(201);
        return reply.body.status;
      };
      // Servers learn of a new binding a moment later.
      await expect
        .poll(() => review({ verb: 'get' }), { timeout: 30_000 })
        .toEqual({
          allowed: true,
          reason: `RBAC: allowed by RoleBinding "bot-reads/${namespace}" of Role "reader" to ServiceAccount "bot/${namespace}"`,
        });
      expect(await review({ verb: 'list' })).toEqual({ allowed: false });
      expect(await review({ verb: 'get', name: 'two' })).toEqual({ allowed: false });
      expect(await review({ verb: 'get', namespace: 'default' })).toEqual({ allowed: false });
    });

    test('tells the caller its own rules', async () => {
      const room = await withReader(api());
      const token = await room.token('bot');
      const ask = async (plural: string, body: object) =>
        (await api().ask('POST', `${AUTHORIZATION}/${plural}`, { body, token })).body.status;
      const rules = { spec: { namespace: room.namespace } };
      await expect
        .poll(async () => (await ask('selfsubjectrulesreviews', rules))?.resourceRules, { timeout: 30_000 })
        .toContainEqual({ apiGroups: [''], resources: ['secrets'], resourceNames: ['one'], verbs: ['get'] });
      const may = (verb: string) => ({
        spec: { resourceAttributes: { namespace: room.namespace, resource: 'secrets', name: 'one', verb } },
      });
      expect((await ask('selfsubjectaccessreviews', may('get')))?.allowed).toBe(true);
      expect((await ask('selfsubjectaccessreviews', may('delete')))?.allowed).toBe(false);
    });

    test('needs a question', async () => {
      const ask = (plural: string, spec: object) =>
        api().ask('POST', `${AUTHORIZATION}/${plural}`, { body: { spec } });
      expect((await ask('subjectaccessreviews', { user: 'x' })).status).toBe(422);
      expect((await ask('selfsubjectrulesreviews', {})).status).toBe(400);
      const path = '/apis/authentication.k8s.io/v1/tokenreviews';
      const { status, body } = await api().ask('POST', path, { body: { spec: {} } });
      expect([status, body.message]).toEqual([400, 'token is required for TokenReview in authentication']);
    });
  });
}

/** Stored by every API server; a review is only answered. */
const builtIn = Object.values(resources).filter(
  (resource) => resource !== resources.rollouts && resource !== resources.accessReviews,
);

function discovery(api: () => Api): void {
  describe('discovery', () => {
    test.each(builtIn)('knows $plural', async ({ group, version, plural, namespaced }) => {
      const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
      const list = (await api().ask('GET', path)).body as unknown as {
        kind: string;
        resources: { name: string; namespaced: boolean; verbs: string[] }[];
      };
      expect(list.kind).toBe('APIResourceList');
      expect(list.resources.find(({ name }) => name === plural)).toMatchObject({
        namespaced,
        verbs: expect.arrayContaining(['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']),
      });
    });

    test('answers an access review, and stores none', async () => {
      const spec = { resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } };
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
      const { status, body } = await api().ask('POST', path, { body: { spec } });
      // What it says is RBAC, which only a real cluster asks of an administrator.
      expect([status, body.status]).toEqual([201, expect.objectContaining({ allowed: expect.any(Boolean) })]);
    });

    test('a list of a kind that is not installed is a 404', async () => {
      const { group, version, plural } = resources.rollouts;
      const path = `/apis/${group}/${version}/namespaces/default/${plural}`;
      expect((await api().ask('GET', path)).status).toBe(404);
    });
  });
}
