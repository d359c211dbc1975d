// What ends a token's life and what does not, with the words that a TokenReview finds for it.
import { describe, expect, test } from 'vitest';
import { type Api, eventually, MERGE_PATCH } from './api.ts';
import { base64, openRoom, type Room } from './room.ts';

const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';
const LAST_USED = 'kubernetes.io/legacy-token-last-used';

const refTo = (kind: string, { metadata }: { metadata: { name: string; uid: string } }) => ({
  apiVersion: 'v1',
  kind,
  name: metadata.name,
  uid: metadata.uid,
});

async function withAccount(api: Api) {
  const room = await openRoom(api);
  const account = await room.create('serviceaccounts', 'bot');
  return { room, uid: account.metadata.uid };
}

/** None of these tokens was used before, so no server remembers a success. */
const diesOf = async (room: Room, token: string, error: string): Promise<void> => {
  await room.dies(token);
  await eventually(async () => expect(await room.review(token)).toEqual({ user: {}, error }));
};
const refusedBecause = (why: string): string => `[invalid bearer token, ${why}]`;
const INVALIDATED = refusedBecause('service account token has been invalidated');

export function tokenLives(api: () => Api): void {
  describe('a legacy token', () => {
    test('stands for its ServiceAccount, and its use is noted', async () => {
      const { room, uid } = await withAccount(api());
      const token = await room.tokenSecret('token', 'bot');
      const { authenticated, user } = await room.review(token);
      expect([authenticated, user]).toEqual([
        true,
        {
          username: `system:serviceaccount:${room.namespace}:bot`,
          uid,
          groups: [
            'system:serviceaccounts',
            `system:serviceaccounts:${room.namespace}`,
            'system:authenticated',
          ],
        },
      ]);
      await eventually(async () => {
        const labels = (await room.read('secrets', 'token')).metadata.labels;
        expect(labels?.[LAST_USED]).toMatch(/^\d{4}-\d\d-\d\d$/);
      });
    });

    test('is switched off by the label, and on again', async () => {
      const { room } = await withAccount(api());
      const token = await room.tokenSecret('token', 'bot');
      const label = (value: string | null) =>
        api().ask('PATCH', room.at('secrets', 'token'), {
          body: { metadata: { labels: { [INVALID_SINCE]: value } } },
          type: MERGE_PATCH,
        });
      await label('2026-11-24');
      const { namespace } = room;
      const why = `the token in secret ${namespace}/token for service account ${namespace}/bot has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${INVALID_SINCE}' label from the secret to temporarily allow use of this token`;
      await diesOf(room, token, refusedBecause(why));
      await label(null);
      await room.lives(token);
    });

    test('dies with its Secret, finalizer or not', async () => {
      const { room } = await withAccount(api());
      const token = await room.tokenSecret('token', 'bot');
      const held = await room.tokenSecret('held', 'bot');
      const body = { metadata: { finalizers: ['example.test/hold'] } };
      await api().ask('PATCH', room.at('secrets', 'held'), { body, type: MERGE_PATCH });
      for (const [name, each] of [
        ['token', token],
        ['held', held],
      ] as const) {
        await room.remove('secrets', name);
        await diesOf(room, each, refusedBecause('Token has been invalidated'));
      }
    });

    test('dies when the Secret holds another value, and revives in a Secret of any type', async () => {
      const { room } = await withAccount(api());
      const token = await room.tokenSecret('token', 'bot');
      const body = { data: { token: base64('another') } };
      await api().ask('PATCH', room.at('secrets', 'token'), { body, type: MERGE_PATCH });
      await diesOf(room, token, refusedBecause("Token does not match server's copy"));
      await room.remove('secrets', 'token');
      await room.create('secrets', 'token', { data: { token: base64(token) } });
      await room.lives(token);
    });

    test('dies with its ServiceAccount, also when that was made again', async () => {
      const { room, uid } = await withAccount(api());
      const token = await room.tokenSecret('token', 'bot');
      await room.remove('serviceaccounts', 'bot');
      await room.dies(token);
      await room.gone('secrets', 'token');
      const again = await room.create('serviceaccounts', 'bot');
      await room.create('secrets', 'token', { data: { token: base64(token) } });
      const why = `ServiceAccount UID (${again.metadata.uid}) does not match claim (${uid})`;
      await diesOf(room, token, refusedBecause(why));
    });
  });

  boundTokens(api);
  otherTokens(api);
}

function boundTokens(api: () => Api): void {
  describe('a bound token', () => {
    test('dies with its Secret, and not by another of that name', async () => {
      const { room } = await withAccount(api());
      const secret = await room.create('secrets', 'anchor');
      const token = await room.token('bot', { boundObjectRef: refTo('Secret', secret) });
      await room.remove('secrets', 'anchor');
      await diesOf(room, token, INVALIDATED);
      const other = (await room.create('secrets', 'anchor')).metadata.uid;
      const why = `secret UID (${other}) does not match service account secret ref claim (${secret.metadata.uid})`;
      await diesOf(room, token, refusedBecause(why));
    });

    test('outlives the deletion of its Pod by a minute, and dies at once by force', async () => {
      const { room } = await withAccount(api());
      const { pod } = await room.strandedPod('worker', 'bot');
      const [first, second] = [
        await room.token('bot', { boundObjectRef: refTo('Pod', pod) }),
        await room.token('bot', { boundObjectRef: refTo('Pod', pod) }),
      ];
      await room.remove('pods', 'worker', { gracePeriodSeconds: 1 });
      expect(await room.probe(first)).toBe(201);
      await room.remove('pods', 'worker', { gracePeriodSeconds: 0 });
      await diesOf(room, second, INVALIDATED);
    });

    test('dies with its Node; that of a Pod on this Node does not', async () => {
      const { room } = await withAccount(api());
      const { pod, node } = await room.strandedPod('worker', 'bot');
      const ofNode = await room.token('bot', { boundObjectRef: refTo('Node', node) });
      const ofPod = await room.token('bot', { boundObjectRef: refTo('Pod', pod) });
      await api().ask('DELETE', `/api/v1/nodes/${node.metadata.name}`);
      await diesOf(room, ofNode, INVALIDATED);
      expect(await room.probe(ofPod)).toBe(201);
    });
  });

  describe('a token bound to nothing', () => {
    test('dies with its ServiceAccount, also when that was made again', async () => {
      const { room, uid } = await withAccount(api());
      const token = await room.token('bot');
      await room.remove('serviceaccounts', 'bot');
      await diesOf(room, token, refusedBecause('serviceaccounts "bot" not found'));
      const again = await room.create('serviceaccounts', 'bot');
      const why = `service account UID (${again.metadata.uid}) does not match claim (${uid})`;
      await diesOf(room, token, refusedBecause(why));
      await room.lives(await room.token('bot'));
    });
  });
}

function otherTokens(api: () => Api): void {
  describe('a token for somebody else', () => {
    test('is accepted by a review for its audience alone', async () => {
      const { room } = await withAccount(api());
      const own = (await room.review(await room.token('bot'))).audiences ?? [];
      const token = await room.token('bot', { audiences: ['vault', 'ci'] });
      const refused = (wanted: string) => ({
        user: {},
        error: refusedBecause(`token audiences ["vault" "ci"] is invalid for the target audiences ${wanted}`),
      });
      expect(await room.review(token)).toEqual(refused(JSON.stringify(own)));
      expect(await room.review(token, ['other'])).toEqual(refused('["other"]'));
      expect(await room.review(token, ['ci', 'other'])).toMatchObject({
        authenticated: true,
        audiences: ['ci'],
        user: { username: `system:serviceaccount:${room.namespace}:bot` },
      });
      expect(await room.probe(token)).toBe(401);
      const both = await room.token('bot', { audiences: [...own, 'vault'] });
      expect(await room.review(both)).toMatchObject({ authenticated: true, audiences: own });
      expect(await room.probe(both)).toBe(201);
      expect(await room.review(await room.token('bot'), ['vault'])).not.toHaveProperty('authenticated');
    });

    test('is refused without reasons where it is no token of this cluster', async () => {
      const room = await openRoom(api());
      expect(await room.review('nonsense')).toEqual({ user: {}, error: 'invalid bearer token' });
      expect(await room.probe('nonsense')).toBe(401);
      const [header, payload] = (await room.token('default')).split('.');
      const forged = `${header}.${payload}.${'A'.repeat(342)}`;
      expect(await room.probe(forged)).toBe(401);
      expect((await room.review(forged)).authenticated).toBeUndefined();
    });
  });
}
