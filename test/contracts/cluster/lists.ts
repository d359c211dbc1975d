// Lists: selectors that the product uses, pages that stay consistent, metadata without any value.
import { describe, expect, test } from 'vitest';
import { type Api, type Body, METADATA_LIST, METADATA_ONLY } from './api.ts';
import { openRoom, type Room, TOKEN_TYPE } from './room.ts';

const names = ({ items }: Body): string[] => items.map(({ metadata }) => metadata.name);

async function list(room: Room, plural: string, query: Record<string, string> = {}, accept?: string) {
  const path = `${room.at(plural)}?${new URLSearchParams(query)}`;
  return room.api.ask('GET', path, accept === undefined ? {} : { accept });
}

async function withSecrets(api: Api, secretNames: string): Promise<Room> {
  const room = await openRoom(api);
  for (const name of secretNames) await room.create('secrets', name, { stringData: { password: 'x' } });
  return room;
}

export function lists(api: () => Api): void {
  describe('a label selector', () => {
    test.each([
      ['app=web', ['a']],
      ['app==web,tier=front', ['a']],
      ['app!=web', ['b', 'c']],
      ['app', ['a', 'b']],
      ['!app', ['c']],
      ['app in (web, api),tier', ['a']],
      ['app notin (web)', ['b', 'c']],
    ])('%s selects', async (labelSelector, expected) => {
      const room = await openRoom(api());
      await room.create('secrets', 'a', { metadata: { labels: { app: 'web', tier: 'front' } } });
      await room.create('secrets', 'b', { metadata: { labels: { app: 'api' } } });
      await room.create('secrets', 'c');
      expect(names((await list(room, 'secrets', { labelSelector })).body)).toEqual(expected);
    });

    test('that cannot be read is a bad request', async () => {
      const room = await openRoom(api());
      const { status, body } = await list(room, 'secrets', { labelSelector: 'a b' });
      expect([status, body.reason]).toEqual([400, 'BadRequest']);
    });
  });

  describe('a field selector', () => {
    test('finds the Pods of a ServiceAccount, in all namespaces', async () => {
      const room = await openRoom(api());
      const account = `${room.namespace}-account`;
      await room.create('serviceaccounts', account);
      const { node } = await room.strandedPod('its', account);
      await room.strandedPod('other');
      const fieldSelector = `spec.serviceAccountName=${account}`;
      expect(names((await list(room, 'pods', { fieldSelector })).body)).toEqual(['its']);
      const everywhere = await api().ask('GET', `/api/v1/pods?${new URLSearchParams({ fieldSelector })}`);
      expect(names(everywhere.body)).toEqual(['its']);
      const onNode = { fieldSelector: `spec.nodeName=${node.metadata.name},status.phase=Pending` };
      expect(names((await list(room, 'pods', onNode)).body)).toEqual(['its']);
      const others = { fieldSelector: `spec.serviceAccountName!=${account}` };
      expect(names((await list(room, 'pods', others)).body)).toEqual(['other']);
    });

    test('finds Secrets by type and by name', async () => {
      const room = await withSecrets(api(), 'ab');
      await room.create('serviceaccounts', 'bot');
      await room.tokenSecret('token', 'bot');
      const select = async (fieldSelector: string) =>
        names((await list(room, 'secrets', { fieldSelector })).body);
      expect(await select(`type=${TOKEN_TYPE}`)).toEqual(['token']);
      expect(await select('metadata.name=b')).toEqual(['b']);
      expect(await select('metadata.name!=b,type=Opaque')).toEqual(['a']);
    });

    test('of an unknown field is a bad request', async () => {
      const room = await openRoom(api());
      const query = { fieldSelector: 'spec.serviceAccountName=bot' };
      const { status, body } = await list(room, 'secrets', query);
      expect([status, body.message]).toEqual([400, 'field label not supported: spec.serviceAccountName']);
      const other = await list(room, 'serviceaccounts', { fieldSelector: 'spec.x=y' });
      expect([other.status, other.body.message]).toEqual([
        400,
        '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
      ]);
    });
  });

  pages(api);
  metadataOnly(api);
}

function pages(api: () => Api): void {
  describe('a list in pages', () => {
    test('shows everything as it was when it began', async () => {
      const room = await withSecrets(api(), 'abcde');
      const first = (await list(room, 'secrets', { limit: '2' })).body;
      expect(names(first)).toEqual(['a', 'b']);
      expect(first.metadata.remainingItemCount).toBe(3);
      await room.remove('secrets', 'd');
      await room.create('secrets', 'bb');
      const page = async (after: Body) =>
        (await list(room, 'secrets', { limit: '2', continue: after.metadata.continue ?? '' })).body;
      const second = await page(first);
      expect(names(second)).toEqual(['c', 'd']);
      expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
      const last = await page(second);
      expect(names(last)).toEqual(['e']);
      expect(last.metadata).not.toHaveProperty('continue');
      expect(names((await list(room, 'secrets')).body)).toEqual(['a', 'b', 'bb', 'c', 'e']);
    });

    test('does not count ahead where a selector filters', async () => {
      const room = await openRoom(api());
      for (const name of 'abc') await room.create('secrets', name, { metadata: { labels: { app: 'web' } } });
      const query = { limit: '2', labelSelector: 'app=web' };
      const { metadata } = (await list(room, 'secrets', query)).body;
      expect(metadata.continue).toBeTruthy();
      expect(metadata).not.toHaveProperty('remainingItemCount');
      const rest = await list(room, 'secrets', { ...query, continue: metadata.continue ?? '' });
      expect(names(rest.body)).toEqual(['c']);
    });

    test('needs a continue token from the page before', async () => {
      const room = await withSecrets(api(), 'ab');
      const { status, body } = await list(room, 'secrets', { limit: '1', continue: 'garbage' });
      expect([status, body.reason]).toEqual([400, 'BadRequest']);
      expect(body.message).toContain('continue key is not valid');
    });
  });
}

function metadataOnly(api: () => Api): void {
  describe('metadata alone', () => {
    test('is what one object and a list answer on request', async () => {
      const room = await withSecrets(api(), 'ab');
      const one = (await api().ask('GET', room.at('secrets', 'a'), { accept: METADATA_ONLY })).body;
      expect(one).toMatchObject({
        kind: 'PartialObjectMetadata',
        apiVersion: 'meta.k8s.io/v1',
        metadata: { name: 'a', namespace: room.namespace },
      });
      expect(Object.keys(one).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
      const many = (await list(room, 'secrets', { limit: '1' }, METADATA_LIST)).body;
      expect(many).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
      expect(many.items).toEqual([one]);
      expect(many.metadata).toMatchObject({ remainingItemCount: 1, continue: expect.any(String) });
      const rest = { limit: '1', continue: many.metadata.continue ?? '' };
      expect(names((await list(room, 'secrets', rest, METADATA_LIST)).body)).toEqual(['b']);
    });

    test('is what creating answers on request', async () => {
      const room = await openRoom(api());
      const body = { metadata: { name: 'a' }, stringData: { password: 'x' } };
      const reply = await api().ask('POST', room.at('secrets'), { body, accept: METADATA_ONLY });
      expect(reply).toMatchObject({ status: 201, body: { kind: 'PartialObjectMetadata' } });
      expect(reply.body).not.toHaveProperty('data');
    });

    test.each([
      ['one object as a list', 'a', METADATA_LIST],
      ['a list as one object', undefined, METADATA_ONLY],
      ['one as a list, or whole', 'a', `${METADATA_LIST}, application/json`],
      ['a version without its name', 'a', METADATA_ONLY.replace('v=v1', 'v1')],
      ['another version', 'a', METADATA_ONLY.replace('v=v1', 'v=v9')],
      ['a form that is not known', 'a', 'text/html'],
    ])('is refused for %s', async (_case, name, accept) => {
      const room = await withSecrets(api(), 'a');
      const { status, body } = await api().ask('GET', room.at('secrets', name), { accept });
      expect([status, body.reason]).toEqual([406, 'NotAcceptable']);
    });

    test('gives way to the whole object where the client offers that too', async () => {
      const room = await withSecrets(api(), 'a');
      const ask = async (accept: string) =>
        (await api().ask('GET', room.at('secrets', 'a'), { accept })).body;
      expect((await ask(`${METADATA_ONLY.replace('v=v1', 'v1')}, application/json`)).kind).toBe('Secret');
      expect((await ask(`${METADATA_ONLY}, application/json`)).kind).toBe('PartialObjectMetadata');
      expect((await ask('*/*')).kind).toBe('Secret');
    });
  });
}
