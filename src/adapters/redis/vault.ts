// Leaked tokens at rest: sealed with AES-256-GCM and bound to their incident, so that Redis alone is worth nothing to a thief.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { AppError } from '../../errors.ts';
import type { Vault } from '../../ports/vault.ts';
import { Secret } from '../../secret.ts';
import type { Store } from './connect.ts';
import type { Keys } from './derived-keys.ts';
import { keySpace } from './key-space.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;

export function createVault({ store, prefix, keys }: { store: Store; prefix: string; keys: Keys }): Vault {
  const space = keySpace(prefix);
  return {
    async open(id) {
      const sealed = await store.run((redis) => redis.get(space.token(id)));
      return sealed === null ? undefined : unseal(keys.seal, id, sealed);
    },
    async destroy(id) {
      await store.run((redis) => redis.del(space.token(id)));
    },
    fingerprint: (token) => createHmac('sha256', keys.fingerprint).update(token.reveal()).digest('hex'),
  };
}

/** base64 of IV, tag, ciphertext. */
export function seal(key: Buffer, id: string, token: Secret): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(id));
  const body = Buffer.concat([cipher.update(token.reveal(), 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64');
}

export function unseal(key: Buffer, id: string, sealed: string): Secret {
  const bytes = Buffer.from(sealed, 'base64');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(Buffer.from(id))
      .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    const body = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
    return new Secret(body.toString('utf8'));
  } catch {
    throw new AppError(
      'log-damaged',
      `The sealed token of incident ${id} cannot be opened: it was changed, or TOURNIQUET_KEY is not the one that sealed it. ` +
        'Set the old key again, or go on without the token.',
    );
  }
}
