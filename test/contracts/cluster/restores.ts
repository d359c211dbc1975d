// What a restore keeps and what it forgets: keys and UIDs stay, history goes. Not side by side with other tests: it stops the cluster.
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, openApi } from './api.ts';
import { openRoom, type Room, roomIn } from './room.ts';
import { ownOf } from './subject.ts';

export function restores(api: () => Api): void {
  describe('a restore', () => {
    let restored: Api;
    let room: Room;
    let token: string;
    let before: string;
    beforeAll(async () => {
      room = await openRoom(api());
      before = (await room.create('serviceaccounts', 'bot')).metadata.resourceVersion;
      token = await room.tokenSecret('token', 'bot');
      restored = openApi(await ownOf(api().subject).clone());
    }, 100_000);
    afterAll(async () => {
      await restored?.close();
      await restored?.subject.close();
    });
    const inRestored = async (plural: string, name: string) =>
      (await restored.ask('GET', room.at(plural, name))).body;

    test('has the same objects, and accepts the same tokens', async () => {
      const account = await room.read('serviceaccounts', 'bot');
      expect((await inRestored('serviceaccounts', 'bot')).metadata.uid).toBe(account.metadata.uid);
      expect((await inRestored('secrets', 'token')).data?.token).toBe(Buffer.from(token).toString('base64'));
      expect(await room.probe(token)).toBe(201);
      expect(await roomIn(restored, room.namespace).probe(token)).toBe(201);
      const { keys } = (await restored.ask('GET', '/openid/v1/jwks', { accept: '*/*' })).body;
      expect(keys?.map(({ kid }) => kid)).toContain(decodeProtectedHeader(token).kid);
    });

    test('is another cluster: what happens in one does not happen in the other', async () => {
      const { body } = await restored.ask('POST', room.at('secrets'), {
        body: { metadata: { name: 'new' } },
      });
      expect(body.metadata.name).toBe('new');
      expect(await room.exists('secrets', 'new')).toBe(false);
    });

    test('cannot resume a watch from before it, and says so within the stream', async () => {
      const watching = await restored.watch(room.at('serviceaccounts'), { resourceVersion: before });
      await watching.ended;
      expect(watching.events).toMatchObject([
        {
          type: 'ERROR',
          object: {
            kind: 'Status',
            code: 410,
            reason: 'Expired',
            message: expect.stringMatching(/^too old resource version: \d+ \(\d+\)$/),
          },
        },
      ]);
    });

    test('or a compaction ends lists in pages', async () => {
      const page = (query: string) => api().ask('GET', `${room.at('secrets')}?limit=1${query}`);
      await room.create('secrets', 'another');
      const { body } = await page('');
      // What is now stays readable.
      await room.create('secrets', 'later');
      await ownOf(api().subject).compact();
      const late = await page(`&continue=${body.metadata.continue}`);
      expect([late.status, late.body.reason, late.body.code]).toEqual([410, 'Expired', 410]);
      expect(late.body.message).toContain('The provided continue parameter is too old');
      expect((await page('')).body.items).toHaveLength(1);
    });
  });
}
