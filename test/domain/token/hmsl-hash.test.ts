// Whether the hash has the published parameters.
import { createHash, scryptSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { hmslHash } from '../../../src/domain/token/hmsl-hash.ts';

it('is scrypt with the digest of GitGuardian as salt', async () => {
  const salt = createHash('sha256').update('GitGuardian', 'utf8').digest();
  const expected = scryptSync('a secret', salt, 32, { N: 2 ** 11, r: 8, p: 1 }).toString('hex');
  expect(await hmslHash('a secret')).toBe(expected);
});

it('does not change between releases, for alerts that are already on record', async () => {
  expect(await hmslHash('speak friend and enter')).toMatch(/^[0-9a-f]{64}$/);
  expect(await hmslHash('speak friend and enter')).not.toBe(await hmslHash('speak friend and enter '));
});
