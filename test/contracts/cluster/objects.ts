// Objects of every kind that the product touches: create, read, update, delete, and the errors of each.
import { describe, expect, test } from 'vitest';
import { type Api, MERGE_PATCH } from './api.ts';
import { ACCOUNT_NAME, base64, containers, openRoom, TOKEN_TYPE } from './room.ts';

const GROUP = 'rbac.authorization.k8s.io';
const template = { metadata: { labels: { app: 'web' } }, spec: { containers } };
const roleRef = { apiGroup: GROUP, kind: 'Role', name: 'reader' };

type Rest = Record<string, unknown>;

/** Plural, kind, version, what else to create it with, and what a merge patch changes in it. */
const KINDS: [string, string, string, Rest, object][] = [
  ['serviceaccounts', 'ServiceAccount', 'v1', {}, { automountServiceAccountToken: false }],
  ['secrets', 'Secret', 'v1', { stringData: { password: 'x' } }, { data: { password: base64('y') } }],
  ['pods', 'Pod', 'v1', { spec: { containers } }, { metadata: { annotations: { seen: 'yes' } } }],
  [
    'deployments',
    'Deployment',
    'apps/v1',
    { spec: { replicas: 0, selector: { matchLabels: { app: 'web' } }, template } },
    { spec: { paused: true } },
  ],
  [
    'roles',
    'Role',
    `${GROUP}/v1`,
    { rules: [] },
    { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
  ],
  [
    'rolebindings',
    'RoleBinding',
    `${GROUP}/v1`,
    { roleRef },
    { subjects: [{ kind: 'ServiceAccount', name: 'a', namespace: 'b' }] },
  ],
];

const named = (plural: string, apiVersion: string, name: string): object => {
  const [group] = apiVersion.includes('/') ? apiVersion.split('/') : [];
  return { name, kind: plural, ...(group && { group }) };
};
const full = (plural: string, apiVersion: string): string =>
  apiVersion.includes('/') ? `${plural}.${apiVersion.split('/')[0]}` : plural;

export function objects(api: () => Api): void {
  describe.each(KINDS)('%s', (plural, kind, apiVersion, rest, change) => {
    test('are created, read, listed and changed', async () => {
      const room = await openRoom(api());
      const created = await room.create(plural, 'one', { ...rest, metadata: { labels: { a: 'b' } } });
      expect(created).toMatchObject({ kind, apiVersion });
      expect(created.metadata).toMatchObject({
        name: 'one',
        namespace: room.namespace,
        labels: { a: 'b' },
        uid: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
        resourceVersion: expect.stringMatching(/^\d+$/),
        creationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        managedFields: [{ manager: 'conformance', operation: 'Update' }],
      });
      expect((await room.read(plural, 'one')).metadata.uid).toBe(created.metadata.uid);
      const list = (await api().ask('GET', room.at(plural))).body;
      expect(list).toMatchObject({ kind: `${kind}List`, apiVersion });
      expect(list.items.map(({ metadata }) => metadata.name)).toContain('one');
      expect(list.items[0]).not.toHaveProperty('kind');
      const changed = await api().ask('PATCH', room.at(plural, 'one'), { body: change, type: MERGE_PATCH });
      expect(changed.status).toBe(200);
      expect(changed.body).toMatchObject(change);
      expect(changed.body.metadata.resourceVersion).not.toBe(created.metadata.resourceVersion);
      expect(await room.read(plural, 'one')).toMatchObject(change);
    });

    test('taken and missing names are told apart, and said', async () => {
      const room = await openRoom(api());
      const missing = {
        status: 404,
        body: {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message: `${full(plural, apiVersion)} "one" not found`,
          reason: 'NotFound',
          details: named(plural, apiVersion, 'one'),
          code: 404,
        },
      };
      expect(await api().ask('GET', room.at(plural, 'one'))).toMatchObject(missing);
      expect(await room.remove(plural, 'one')).toMatchObject(missing);
      const patch = { body: change, type: MERGE_PATCH };
      expect(await api().ask('PATCH', room.at(plural, 'one'), patch)).toMatchObject(missing);
      await room.create(plural, 'one', rest);
      const again = { body: { ...rest, metadata: { name: 'one' } } };
      expect(await api().ask('POST', room.at(plural), again)).toMatchObject({
        status: 409,
        body: {
          kind: 'Status',
          message: `${full(plural, apiVersion)} "one" already exists`,
          reason: 'AlreadyExists',
          details: named(plural, apiVersion, 'one'),
          code: 409,
        },
      });
    });

    test('are deleted only where the preconditions fit', async () => {
      const room = await openRoom(api());
      await room.create(plural, 'one', rest);
      const refused = async (preconditions: object, what: string): Promise<void> => {
        const { status, body } = await room.remove(plural, 'one', { preconditions });
        expect(status).toBe(409);
        // Unlike everywhere else, by kind and not by plural.
        expect(body).toMatchObject({ reason: 'Conflict', details: named(kind, apiVersion, 'one') });
        expect(body.message).toContain(
          `Operation cannot be fulfilled on ${full(kind, apiVersion)} "one": the ${what} in the precondition (`,
        );
        expect((await room.read(plural, 'one')).metadata.deletionTimestamp).toBeUndefined();
      };
      const { uid } = (await room.read(plural, 'one')).metadata;
      await refused({ uid: 'another' }, 'UID');
      await refused({ uid, resourceVersion: '1' }, 'ResourceVersion');
      const { status } = await room.remove(plural, 'one', { preconditions: { uid } });
      expect(status).toBe(200);
      await room.gone(plural, 'one', uid);
    });
  });

  details(api);
  updates(api);
}

function details(api: () => Api): void {
  describe('creating', () => {
    test('ignores a UID of the client, and refuses a resource version', async () => {
      const room = await openRoom(api());
      const { metadata } = await room.create('secrets', 'one', { metadata: { uid: 'mine' } });
      expect(metadata.uid).not.toBe('mine');
      const body = { metadata: { name: 'two', resourceVersion: '7' } };
      const { status, body: said } = await api().ask('POST', room.at('secrets'), { body });
      expect([status, said.message]).toEqual([
        500,
        'resourceVersion should not be set on objects to be created',
      ]);
      expect(await room.exists('secrets', 'two')).toBe(false);
    });

    test('makes a name from generateName, and needs either', async () => {
      const room = await openRoom(api());
      const body = { metadata: { generateName: 'bot-' } };
      expect((await room.make(room.at('serviceaccounts'), body)).metadata.name).toMatch(/^bot-.{5}$/);
      const { status, body: said } = await api().ask('POST', room.at('serviceaccounts'), { body: {} });
      expect([status, said.reason]).toEqual([422, 'Invalid']);
      expect(said.message).toContain('metadata.name: Required value: name or generateName is required');
    });

    test('in a missing namespace, another namespace, or as another kind is refused', async () => {
      const room = await openRoom(api());
      const post = (path: string, body: unknown) => api().ask('POST', path, { body });
      const body = { metadata: { name: 'one' } };
      expect(await post('/api/v1/namespaces/conformance-none/secrets', body)).toMatchObject({
        status: 404,
        body: {
          message: 'namespaces "conformance-none" not found',
          details: { name: 'conformance-none', kind: 'namespaces' },
        },
      });
      const elsewhere = { metadata: { name: 'one', namespace: 'default' } };
      expect((await post(room.at('secrets'), elsewhere)).status).toBe(400);
      const wrong = { kind: 'ServiceAccount', apiVersion: 'v1', ...body };
      expect((await post(room.at('secrets'), wrong)).status).toBe(400);
      expect((await post(room.at('secrets'), '{"metadata":')).status).toBe(400);
      expect(await room.exists('secrets', 'one')).toBe(false);
    });

    test('a Secret encodes stringData; a token Secret must name its ServiceAccount', async () => {
      const room = await openRoom(api());
      const data = { one: base64('1') };
      const secret = await room.create('secrets', 'one', { data, stringData: { two: '2' } });
      expect(secret).toMatchObject({ type: 'Opaque', data: { ...data, two: base64('2') } });
      expect(secret).not.toHaveProperty('stringData');
      expect(await room.create('secrets', 'empty')).not.toHaveProperty('data');
      const body = { metadata: { name: 'token' }, type: TOKEN_TYPE };
      const { status, body: said } = await api().ask('POST', room.at('secrets'), { body });
      expect([status, said.reason]).toEqual([422, 'Invalid']);
      expect(said.message).toContain(`metadata.annotations[${ACCOUNT_NAME}]: Required value`);
    });
  });
}

function updates(api: () => Api): void {
  describe('replacing', () => {
    test('needs the current resource version, or none', async () => {
      const room = await openRoom(api());
      const before = await room.create('serviceaccounts', 'bot');
      const put = (body: object) => api().ask('PUT', room.at('serviceaccounts', 'bot'), { body });
      const first = await put({ ...before, automountServiceAccountToken: false });
      expect(first.status).toBe(200);
      expect(first.body.metadata.uid).toBe(before.metadata.uid);
      expect(await put({ ...before, automountServiceAccountToken: true })).toMatchObject({
        status: 409,
        body: {
          reason: 'Conflict',
          message:
            'Operation cannot be fulfilled on serviceaccounts "bot": the object has been modified; please apply your changes to the latest version and try again',
          details: { name: 'bot', kind: 'serviceaccounts' },
        },
      });
      expect(await room.read('serviceaccounts', 'bot')).toEqual(first.body);
      const last = await put({ metadata: { name: 'bot' } });
      expect(last.status).toBe(200);
      expect(last.body).not.toHaveProperty('automountServiceAccountToken');
      expect(last.body.metadata.uid).toBe(before.metadata.uid);
    });

    test('is refused for another UID and for a missing object', async () => {
      const room = await openRoom(api());
      const before = await room.create('serviceaccounts', 'bot');
      const body = { ...before, metadata: { ...before.metadata, uid: 'another', resourceVersion: '' } };
      const { status, body: said } = await api().ask('PUT', room.at('serviceaccounts', 'bot'), { body });
      expect([status, said.reason]).toEqual([409, 'Conflict']);
      expect(said.message).toContain('Precondition failed: UID in precondition: another');
      expect(await room.read('serviceaccounts', 'bot')).toEqual(before);
    });

    test('counts generations of the spec, and leaves the status alone', async () => {
      const room = await openRoom(api());
      const spec = { replicas: 0, selector: { matchLabels: { app: 'web' } }, template };
      const { metadata } = await room.create('deployments', 'web', { spec });
      expect(metadata.generation).toBe(1);
      const patch = async (body: object) =>
        (await api().ask('PATCH', room.at('deployments', 'web'), { body, type: MERGE_PATCH })).body;
      const labelled = await patch({ metadata: { labels: { a: 'b' } }, status: { replicas: 7 } });
      expect(labelled.metadata.generation).toBe(1);
      expect(labelled.status?.replicas ?? 0).toBe(0);
      expect((await patch({ spec: { paused: true } })).metadata.generation).toBe(2);
    });

    test('cannot give a binding another role', async () => {
      const room = await openRoom(api());
      const before = await room.create('rolebindings', 'one', { roleRef });
      const body = { roleRef: { ...roleRef, name: 'admin' } };
      const patch = { body, type: MERGE_PATCH };
      const { status, body: said } = await api().ask('PATCH', room.at('rolebindings', 'one'), patch);
      expect([status, said.reason]).toEqual([422, 'Invalid']);
      expect(said.message).toMatch(/roleRef: Invalid value: .*: field is immutable/);
      expect(await room.read('rolebindings', 'one')).toEqual(before);
    });
  });
}
