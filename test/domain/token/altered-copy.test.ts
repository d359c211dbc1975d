// An altered copy of a token against another token that says the same: only the first is about the one that is stored.
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isAlteredCopy } from '../../../src/domain/token/altered-copy.ts';
import { legacyPayload } from './token-samples.ts';

const keys = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
};
const payload = legacyPayload();
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function make(alg: keyof typeof keys, claims: unknown = payload): string {
  const input = `${encode({ alg })}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(input), { key: keys[alg], dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

/** Changes one character, counted from the end. */
const touched = (token: string, at: number): string =>
  `${token.slice(0, -at)}${token.at(-at) === 'A' ? 'B' : 'A'}${token.slice(token.length - at + 1)}`;

describe.each(['RS256', 'ES256'] as const)('%s', (alg) => {
  const token = make(alg);
  it('is no altered copy of itself, nor of one that says something else', () => {
    expect(isAlteredCopy(token, token)).toBe(false);
    expect(isAlteredCopy(make(alg, { ...payload, sub: 'other' }), token)).toBe(false);
    expect(isAlteredCopy('', token)).toBe(false);
    expect(isAlteredCopy(token, '')).toBe(false);
  });
  it('is one where the end of the signature differs', () => {
    expect(isAlteredCopy(touched(token, 20), token)).toBe(true);
  });
});

it('made again with ECDSA it is another token, and with RSA the same', () => {
  expect(isAlteredCopy(make('ES256'), make('ES256'))).toBe(false);
  expect(make('RS256')).toBe(make('RS256'));
});
