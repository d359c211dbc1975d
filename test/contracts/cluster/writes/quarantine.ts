// quarantine-token on a cluster that changes between alert and kill: its condition is the leaked token itself.
import { describe, expect, test } from 'vitest';
import { type Api, eventually } from '../api.ts';
import { openRoom } from '../room.ts';
import { CHANGES, heldBy, LABELS, leak, untouched } from './leak.ts';
import { employ } from './product.ts';

const ACTION = 'quarantine-token';
const LABEL = 'kubernetes.io/legacy-token-invalid-since';

export function quarantine(api: () => Api): void {
  describe.each(LABELS)(`${ACTION} on a Secret %s`, (_case, labels) => {
    test('kills the leaked token, twice without harm, and gives it back', async () => {
      const room = await openRoom(api());
      const [token, product] = [await leak(room, labels), await employ(room)];
      const params = { namespace: room.namespace, secret: 'token' };
      expect(await product.verify(ACTION, params, token)).toBe('not-done');
      expect((await product.run(ACTION, params, token)).verdict).toBe('done');
      const labelled = { ...labels, [LABEL]: '2026-11-24' };
      expect((await room.read('secrets', 'token')).metadata.labels).toEqual(labelled);
      expect((await product.run(ACTION, params, token)).verdict).toBe('done');
      await room.dies(token);
      expect(await product.verify(ACTION, params, token)).toBe('done');
      expect(await product.undo(ACTION, params, token)).toBe('done');
      expect((await room.read('secrets', 'token')).metadata.labels?.[LABEL]).toBeUndefined();
      await room.lives(token);
      expect((await product.run(ACTION, params, token)).verdict).toBe('done');
      await room.dies(token);
    });

    test.each(CHANGES)('which %s: kills the leaked token alone', async (_change, change) => {
      const room = await openRoom(api());
      const [leaked, product] = [await leak(room, labels), await employ(room)];
      const params = { namespace: room.namespace, secret: 'token' };
      await change(room, labels);
      const held = await heldBy(room);
      if (held === leaked) {
        expect((await product.run(ACTION, params, leaked)).verdict).toBe('done');
        await room.dies(leaked);
        return;
      }
      await untouched(room, 'secrets', 'token', async () => {
        expect((await product.run(ACTION, params, leaked)).verdict).toBe('not-done');
      });
      await room.dies(leaked);
      if (held !== undefined) await room.lives(held);
    });

    test('without the token in hand is held to the UID', async () => {
      const room = await openRoom(api());
      const [leaked, product] = [await leak(room, labels), await employ(room)];
      const { uid } = (await room.read('secrets', 'token')).metadata;
      const params = { namespace: room.namespace, secret: 'token', uid };
      expect((await product.run(ACTION, params)).verdict).toBe('done');
      await room.dies(leaked);
      await room.remove('secrets', 'token');
      await room.tokenSecret('token', 'bot', labels);
      await untouched(room, 'secrets', 'token', async () => {
        expect((await product.run(ACTION, params)).verdict).toBe('not-done');
        expect(await product.undo(ACTION, params)).toBe('not-done');
      });
    });
  });

  test(`${ACTION} finds nothing to do where the Secret is gone`, async () => {
    const room = await openRoom(api());
    const [leaked, product] = [await leak(room), await employ(room)];
    await room.remove('secrets', 'token');
    const params = { namespace: room.namespace, secret: 'token' };
    expect((await product.run(ACTION, params, leaked)).verdict).toBe('not-done');
    expect((await product.run(ACTION, params)).verdict).toBe('done');
    expect(await room.exists('secrets', 'token')).toBe(false);
    await eventually(async () => expect(await room.probe(leaked)).toBe(401));
  });
}
