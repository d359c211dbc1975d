// GitGuardian's HasMySecretLeaked hash: lets a live Secret be matched to an alert that never carries the value.
import { createHash, scrypt } from 'node:crypto';

const SALT = createHash('sha256').update('GitGuardian').digest();

/** Hex scrypt with the public parameters; about 5 ms of a thread-pool thread each. */
export function hmslHash(secret: string): Promise<string> {
  return new Promise((resolve, reject) => {
    scrypt(secret, SALT, 32, { N: 2048, r: 8, p: 1 }, (error, key) =>
      error ? reject(error) : resolve(key.toString('hex')),
    );
  });
}
