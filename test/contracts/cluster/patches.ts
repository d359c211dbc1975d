// Patches, above all the conditional quarantine: it applies as a whole to the leaked token, and touches nothing else.
import { describe, expect, test } from 'vitest';
import { type Api, JSON_PATCH, MERGE_PATCH, METADATA_ONLY, STRATEGIC_PATCH } from './api.ts';
import { base64, openRoom, type Room } from './room.ts';

const LABEL = 'kubernetes.io/legacy-token-invalid-since';
const DAY = '2026-11-24';
const right = { op: 'test', path: '/data/token', value: base64('leaked') };
const wrong = { op: 'test', path: '/data/token', value: base64('healthy') };
const noLabels = { op: 'test', path: '/metadata/labels', value: null };
const addMap = { op: 'add', path: '/metadata/labels', value: { [LABEL]: DAY } };
const addKey = { op: 'add', path: `/metadata/labels/${LABEL.replace('/', '~1')}`, value: DAY };
const team = { team: 'shop' };

const secretWith = (room: Room, labels?: object) =>
  room.create('secrets', 'one', { stringData: { token: 'leaked' }, metadata: { labels } });
const patch = (room: Room, body: unknown, type = JSON_PATCH, accept = METADATA_ONLY) =>
  room.api.ask('PATCH', room.at('secrets', 'one'), { body, type, accept });

/** What the server answers when a JSON Patch does not apply: it names neither the operation nor a value. */
const REFUSED = {
  status: 422,
  body: {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'the server rejected our request due to an error in our request',
    reason: 'Invalid',
    details: {},
    code: 422,
  },
};

async function refused(room: Room, body: unknown): Promise<void> {
  const before = await room.read('secrets', 'one');
  expect(await patch(room, body)).toMatchObject(REFUSED);
  expect(await room.read('secrets', 'one')).toEqual(before);
}

export function patches(api: () => Api): void {
  describe('the conditional quarantine', () => {
    test.each([
      ['the map where there are no labels', undefined, [right, noLabels, addMap]],
      ['the map where the labels are empty', {}, [right, noLabels, addMap]],
      ['the key where there are labels', team, [right, addKey]],
    ])('adds %s', async (_case, labels, operations) => {
      const room = await openRoom(api());
      await secretWith(room, labels);
      const { status, body } = await patch(room, operations);
      expect([status, body.kind, body.apiVersion]).toEqual([200, 'PartialObjectMetadata', 'meta.k8s.io/v1']);
      expect(body).not.toHaveProperty('data');
      expect(body.metadata.labels).toEqual({ ...labels, [LABEL]: DAY });
      const after = await room.read('secrets', 'one');
      expect(after.metadata).toEqual(body.metadata);
      expect(after.data).toEqual({ token: base64('leaked') });
    });

    test.each([
      ['the wrong token and no labels', undefined, [wrong, noLabels, addMap]],
      ['the wrong token and labels', team, [wrong, addKey]],
      ['labels where none were expected', team, [right, noLabels, addMap]],
      ['no labels where some were expected', undefined, [right, addKey]],
      ['a test that fails after a change', team, [addKey, wrong]],
    ])('is refused as a whole for %s', async (_case, labels, operations) => {
      const room = await openRoom(api());
      await secretWith(room, labels);
      await refused(room, operations);
    });

    test('is refused where the Secret has no such value, or no values at all', async () => {
      const room = await openRoom(api());
      await room.create('secrets', 'one', { stringData: { other: 'leaked' }, metadata: { labels: team } });
      await refused(room, [right, addKey]);
      await room.remove('secrets', 'one');
      await room.create('secrets', 'one', { metadata: { labels: team } });
      await refused(room, [right, addKey]);
    });

    test('answers 404 where the Secret is gone', async () => {
      const room = await openRoom(api());
      expect(await patch(room, [right, addKey])).toMatchObject({
        status: 404,
        body: { reason: 'NotFound', message: 'secrets "one" not found' },
      });
    });

    test.each(['uid', 'resourceVersion'] as const)('can be pinned to the %s', async (field) => {
      const room = await openRoom(api());
      const { metadata } = await secretWith(room, team);
      const pin = (value: string) => ({ op: 'test', path: `/metadata/${field}`, value });
      await refused(room, [pin('1'), addKey]);
      expect((await patch(room, [pin(metadata[field]), addKey])).status).toBe(200);
      if (field === 'resourceVersion') await refused(room, [pin(metadata[field]), addKey]);
      else expect((await patch(room, [pin(metadata[field]), addKey])).status).toBe(200);
    });

    test('taken off again leaves no empty map behind', async () => {
      const room = await openRoom(api());
      await secretWith(room);
      await patch(room, [right, noLabels, addMap]);
      const undone = await patch(room, [{ op: 'remove', path: addKey.path }]);
      expect(undone.status).toBe(200);
      expect(undone.body.metadata).not.toHaveProperty('labels');
      await refused(room, [right, addKey]);
      expect((await patch(room, [right, noLabels, addMap])).status).toBe(200);
    });
  });

  jsonPatches(api);
  mergePatches(api);
}

function jsonPatches(api: () => Api): void {
  describe('a JSON Patch', () => {
    test('edits lists by index', async () => {
      const room = await openRoom(api());
      await room.create('secrets', 'one', { metadata: { finalizers: ['t.test/b'] } });
      const edit = async (op: string, index: string, value?: string) =>
        (await patch(room, [{ op, path: `/metadata/finalizers/${index}`, value }])).body.metadata.finalizers;
      expect(await edit('add', '0', 't.test/a')).toEqual(['t.test/a', 't.test/b']);
      expect(await edit('add', '-', 't.test/c')).toEqual(['t.test/a', 't.test/b', 't.test/c']);
      expect(await edit('remove', '1')).toEqual(['t.test/a', 't.test/c']);
      expect(await edit('replace', '1', 't.test/d')).toEqual(['t.test/a', 't.test/d']);
      await refused(room, [{ op: 'add', path: '/metadata/finalizers/9', value: 't.test/e' }]);
      await refused(room, [{ op: 'remove', path: '/metadata/finalizers/2' }]);
    });

    test.each([
      ['removes what is not there', [{ op: 'remove', path: '/metadata/labels/none' }]],
      ['replaces below what is not there', [{ op: 'replace', path: '/metadata/none/deep', value: 'x' }]],
      ['adds below what is not there', [{ op: 'add', path: '/metadata/none/deep', value: 'x' }]],
      ['tests below what is not there', [{ op: 'test', path: '/metadata/none/deep', value: 'x' }]],
      ['has a path that is none', [{ op: 'add', path: 'metadata', value: 'x' }]],
    ])('that %s is refused', async (_case, operations) => {
      const room = await openRoom(api());
      await secretWith(room, team);
      await refused(room, operations);
    });

    test('that replaces a key that is not there adds it', async () => {
      const room = await openRoom(api());
      await secretWith(room, team);
      const added = await patch(room, [{ op: 'replace', path: '/metadata/labels/none', value: 'x' }]);
      expect(added.body.metadata.labels).toEqual({ ...team, none: 'x' });
    });

    test('that is no list is a bad request; a stale version in it is a conflict', async () => {
      const room = await openRoom(api());
      const before = await secretWith(room, team);
      expect((await patch(room, { op: 'remove', path: '/metadata/labels' })).status).toBe(400);
      const stale = [{ op: 'replace', path: '/metadata/resourceVersion', value: '1' }];
      expect((await patch(room, [...stale, addKey])).status).toBe(409);
      expect(await room.read('secrets', 'one')).toEqual(before);
    });
  });
}

function mergePatches(api: () => Api): void {
  describe('a merge patch', () => {
    test.each([MERGE_PATCH, STRATEGIC_PATCH])('(%s) sets and removes keys of maps', async (type) => {
      const room = await openRoom(api());
      await secretWith(room, team);
      const labels = { team: null, tier: 'front' };
      const { status, body } = await patch(room, { metadata: { labels } }, type);
      expect([status, body.kind]).toEqual([200, 'PartialObjectMetadata']);
      expect(body.metadata.labels).toEqual({ tier: 'front' });
      const added = await patch(room, { metadata: { annotations: { a: 'b' } } }, type);
      expect(added.body.metadata).toMatchObject({ labels: { tier: 'front' }, annotations: { a: 'b' } });
    });

    test('with a stale version is a conflict, with another UID invalid', async () => {
      const room = await openRoom(api());
      const before = await secretWith(room, team);
      const labelled = (metadata: object) => ({ metadata: { ...metadata, labels: { x: 'y' } } });
      expect(await patch(room, labelled({ resourceVersion: '1' }), MERGE_PATCH)).toMatchObject({
        status: 409,
        body: { reason: 'Conflict', details: { name: 'one', kind: 'secrets' } },
      });
      expect(await patch(room, labelled({ uid: 'another' }), MERGE_PATCH)).toMatchObject({
        status: 422,
        body: {
          reason: 'Invalid',
          message: 'Secret "one" is invalid: metadata.uid: Invalid value: "another": field is immutable',
          details: { name: 'one', kind: 'Secret', causes: [{ field: 'metadata.uid' }] },
        },
      });
      expect(await room.read('secrets', 'one')).toEqual(before);
      const { resourceVersion, uid } = before.metadata;
      const fitting = { metadata: { resourceVersion, uid, labels: { x: 'y' } } };
      expect((await patch(room, fitting, MERGE_PATCH)).status).toBe(200);
    });

    test('that changes nothing leaves the resource version alone', async () => {
      const room = await openRoom(api());
      const before = await secretWith(room, team);
      const { body } = await patch(room, { metadata: { labels: team } }, MERGE_PATCH, 'application/json');
      expect(body).toEqual(before);
    });

    test('of an unknown media type is refused', async () => {
      const room = await openRoom(api());
      await secretWith(room, team);
      expect((await patch(room, {}, 'application/json')).status).toBe(415);
    });
  });
}
