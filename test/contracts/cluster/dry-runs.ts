// Server-side dry runs of what makes and patches objects: the same answers as in earnest, and nothing is kept.
import { describe, expect, test } from 'vitest';
import { type Api, JSON_PATCH } from './api.ts';
import { openRoom, type Room } from './room.ts';

const dry = (room: Room, method: 'POST' | 'PATCH', name: string | undefined, body: unknown) =>
  room.api.ask(method, `${room.at('secrets', name)}?dryRun=All`, {
    body,
    ...(method === 'PATCH' ? { type: JSON_PATCH } : {}),
  });

export function dryRuns(api: () => Api): void {
  describe('a dry run', () => {
    test('of a new object answers as if it were made, and it is not', async () => {
      const room = await openRoom(api());
      const { status, body } = await dry(room, 'POST', undefined, { metadata: { name: 'new' } });
      expect(status).toBe(201);
      expect(body).toMatchObject({ metadata: { name: 'new', uid: expect.any(String) } });
      expect((await room.api.ask('GET', room.at('secrets', 'new'))).status).toBe(404);
    });

    test('of an object whose name is taken cannot tell more than that', async () => {
      const room = await openRoom(api());
      const { metadata } = await room.create('secrets', 'one', { stringData: { token: 'a' } });
      const { status, body } = await dry(room, 'POST', undefined, { metadata: { name: 'one' } });
      expect([status, body.reason]).toEqual([409, 'AlreadyExists']);
      expect((await room.read('secrets', 'one')).metadata.uid).toBe(metadata.uid);
    });

    test('of a patch answers what would be, and leaves the object as it was', async () => {
      const room = await openRoom(api());
      await room.create('secrets', 'one', { metadata: { labels: { team: 'a' } } });
      const before = await room.read('secrets', 'one');
      const { status, body } = await dry(room, 'PATCH', 'one', [
        { op: 'test', path: '/metadata/uid', value: before.metadata.uid },
        { op: 'add', path: '/metadata/labels/team', value: 'b' },
      ]);
      expect(status).toBe(200);
      expect(body.metadata).toMatchObject({ labels: { team: 'b' } });
      expect(await room.read('secrets', 'one')).toEqual(before);
    });

    test('of a patch that does not apply says so', async () => {
      const room = await openRoom(api());
      await room.create('secrets', 'one');
      const { status, body } = await dry(room, 'PATCH', 'one', [
        { op: 'test', path: '/metadata/uid', value: 'another' },
        { op: 'add', path: '/metadata/labels', value: { a: 'b' } },
      ]);
      expect([status, body.reason]).toEqual([422, 'Invalid']);
    });
  });
}
