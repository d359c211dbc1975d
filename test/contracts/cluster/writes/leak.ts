// A leaked legacy token, and what may have become of its Secret between the alert and the kill.
import { expect } from 'vitest';
import { MERGE_PATCH } from '../api.ts';
import { base64, type Room } from '../room.ts';

type Labels = Record<string, string>;

export const LABELS: [string, Labels | undefined][] = [
  ['without labels', undefined],
  ['with labels', { team: 'shop' }],
];

/** ServiceAccount `bot`, and its token in Secret `token`. */
export async function leak(room: Room, labels?: Labels): Promise<string> {
  await room.create('serviceaccounts', 'bot');
  return room.tokenSecret('token', 'bot', labels);
}

async function recreateSecret(room: Room, labels?: Labels): Promise<void> {
  await room.remove('secrets', 'token');
  await room.tokenSecret('token', 'bot', labels);
}

const setToken = async (room: Room, value: string | null): Promise<void> => {
  const body = { data: { token: value } };
  const { status } = await room.api.ask('PATCH', room.at('secrets', 'token'), { body, type: MERGE_PATCH });
  expect(status).toBe(200);
};

/**
 * Each leaves a Secret under the old name. Whether it holds the leaked token again depends on the signing key: with RSA
 * the same claims make the same token.
 */
export const CHANGES: [string, (room: Room, labels?: Labels) => Promise<void>][] = [
  ['was deleted and made again', recreateSecret],
  [
    'was blanked and filled again',
    async (room) => {
      await setToken(room, null);
      await room.tokenIn('token');
    },
  ],
  [
    'belongs to a new ServiceAccount of that name',
    async (room, labels) => {
      const { uid } = (await room.read('secrets', 'token')).metadata;
      await room.remove('serviceaccounts', 'bot');
      await room.gone('secrets', 'token', uid);
      await leak(room, labels);
    },
  ],
  ['was given another value', (room) => setToken(room, base64('something else'))],
  [
    'made way for an ordinary one',
    async (room, labels) => {
      await room.remove('secrets', 'token');
      await room.create('secrets', 'token', { stringData: { password: 'x' }, metadata: { labels } });
    },
  ],
];

/** The working token that is in the Secret now, if any. */
export async function heldBy(room: Room): Promise<string | undefined> {
  const { type, data } = await room.read('secrets', 'token');
  const value = data?.token && Buffer.from(data.token, 'base64').toString();
  return type !== 'Opaque' && value?.includes('.') ? value : undefined;
}

/** What happens in between changes nothing about the object. */
export async function untouched(
  room: Room,
  plural: string,
  name: string,
  between: () => Promise<void>,
): Promise<void> {
  const before = await room.read(plural, name);
  await between();
  expect(await room.read(plural, name)).toEqual(before);
}
