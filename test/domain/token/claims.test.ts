// Whether the claims of every kind of ServiceAccount token are read, and everything else is refused in plain words.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Claims, readClaims } from '../../../src/domain/token/claims.ts';
import {
  boundPayload,
  boundToken,
  jwt,
  legacyPayload,
  legacyToken,
  named,
  part,
  unsignedJwt,
} from './token-samples.ts';

const read = (token: string): Claims => {
  const claims = readClaims(token);
  if ('problem' in claims) throw new Error(claims.problem);
  return claims;
};
const problem = (token: string): string => {
  const claims = readClaims(token);
  return 'problem' in claims ? claims.problem : '(accepted)';
};
const K = 'kubernetes.io/serviceaccount/';

describe('readClaims', () => {
  it('reads a legacy token', () => {
    const payload = legacyPayload();
    expect(read(jwt(payload))).toEqual({
      kind: 'legacy',
      namespace: 'rohan',
      serviceAccount: { name: 'eomer', uid: payload[`${K}service-account.uid`] },
      boundTo: { kind: 'Secret', name: 'eomer-token-x7k2p' },
      issuer: 'kubernetes/serviceaccount',
      audiences: [],
      alg: 'RS256',
      keyId: 'key-1',
    });
  });

  it('reads a bound token with all its claims', () => {
    const pod = named('ranger-0');
    const payload = boundPayload({ pod, node: named('node-1') });
    expect(read(jwt(payload, 'ES256'))).toEqual({
      kind: 'pod-bound',
      namespace: 'gondor',
      serviceAccount: payload['kubernetes.io'].serviceaccount,
      boundTo: { kind: 'Pod', ...pod },
      issuer: payload.iss,
      audiences: payload.aud,
      jti: payload.jti,
      alg: 'ES256',
      keyId: 'key-1',
      issuedAt: 1_717_671_355,
      expiresAt: 1_749_207_355,
    });
  });

  it.each([
    ['secret-bound', { secret: named('s') }],
    ['node-bound', { node: named('n') }],
    ['unbound', {}],
    ['unbound', { future: { deep: [1] } }],
    ['other-bound', { validatingwebhookconfiguration: named('w'), attestations: { deep: [1] } }],
    ['other-bound', { 'kind of_ the future': named('w') }],
    ['pod-bound', { pod: named('p'), validatingwebhookconfiguration: named('w') }],
  ])('tells %s tokens', (kind, bound) => {
    expect(read(jwt(boundPayload(bound))).kind).toBe(kind);
  });

  it('keeps what a token is bound to under its claimed name, where the kind is not known', () => {
    const gate = named('gate');
    const { boundTo } = read(jwt(boundPayload({ validatingwebhookconfiguration: gate })));
    expect(boundTo).toEqual({ kind: 'validatingwebhookconfiguration', ...gate });
    expect(read(jwt(boundPayload({ 'A *kind*': gate }))).boundTo?.kind).toBe('object');
  });

  it.each(['RS256', 'ES256', 'ES384', 'ES512'] as const)('takes a %s signature', (alg) => {
    expect(read(legacyToken(alg)).alg).toBe(alg);
  });

  it('takes a single audience and ignores keys that it does not know', () => {
    expect(read(jwt(boundPayload({}, { aud: 'vault', nonsense: { a: 1 } }))).audiences).toEqual(['vault']);
  });

  const rsa = { alg: 'RS256' };
  it.each<[string, string, RegExp]>([
    ['nothing', '', /begin with eyJ/],
    ['an opaque token', `sha256~${'a'.repeat(43)}`, /begin with eyJ/],
    ['too long a text', `eyJ${'a'.repeat(20_000)}`, /longer than any/],
    ['HS256', unsignedJwt(legacyPayload(), { alg: 'HS256' }, 32), /no Kubernetes API server/],
    ['none', unsignedJwt(legacyPayload(), { alg: 'none' }, 32), /no Kubernetes API server/],
    [
      'an alg that is a name of Object',
      unsignedJwt(legacyPayload(), { alg: 'constructor' }),
      /no Kubernetes API/,
    ],
    [
      'an alg that is no string',
      unsignedJwt(legacyPayload(), { alg: ['RS256'] }),
      /no Kubernetes API server/,
    ],
    ['a missing signature', legacyToken().split('.').slice(0, 2).join('.'), /cut off/],
    ['a short RSA signature', legacyToken().slice(0, -20), /cut off/],
    ['a short EC signature', legacyToken('ES256').slice(0, -1), /cut off/],
    ['a long EC signature', `${legacyToken('ES256')}A`, /cut off/],
    ['a cut payload', legacyToken().replace(/\.(.{60}).*\./, '.$1.'), /cut off/],
    ['four parts', `${legacyToken()}.AAAA`, /cut off/],
    ['a blank in it', legacyToken().replace('.', ' .'), /cut off/],
    ['a payload that is no object', unsignedJwt([1], rsa), /cut off/],
    ['absurd nesting', unsignedJwt({ a: JSON.parse(`${'['.repeat(30)}${']'.repeat(30)}`) }, rsa), /cut off/],
    [
      "a person's token",
      jwt({ iss: 'https://login.example', sub: 'arwen', aud: 'app' }),
      /not of a Kubernetes/,
    ],
    [
      'another subject',
      jwt(legacyPayload({ sub: 'system:serviceaccount:rohan:theoden' })),
      /contradicts itself/,
    ],
    [
      'another namespace',
      jwt(boundPayload({}, { sub: 'system:serviceaccount:rohan:faramir' })),
      /contradicts/,
    ],
    ['no claims of Kubernetes', jwt({ iss: 'x', sub: 'system:serviceaccount:rohan:eomer' }), /other claims/],
    [
      'a namespace that is a path',
      jwt(legacyPayload({ [`${K}namespace`]: '../kube-system' })),
      /other claims/,
    ],
    ['a Secret that is a path', jwt(legacyPayload({ [`${K}secret.name`]: 'a/../../nodes' })), /other claims/],
    ['a Secret with two dots', jwt(legacyPayload({ [`${K}secret.name`]: 'a..b' })), /other claims/],
    ['a Secret with a query', jwt(legacyPayload({ [`${K}secret.name`]: 'a?watch=1' })), /other claims/],
    ['a long namespace', jwt(legacyPayload({ [`${K}namespace`]: 'a'.repeat(64) })), /other claims/],
    ['a strange UID', jwt(legacyPayload({ [`${K}service-account.uid`]: 'a b' })), /other claims/],
    ['a Pod name that is no name', jwt(boundPayload({ pod: { name: 'A', uid: '1' } })), /other claims/],
    ['audiences that are numbers', jwt(boundPayload({}, { aud: [1] })), /other claims/],
    ['control characters in the issuer', jwt(boundPayload({}, { iss: 'a\u0000b' })), /other claims/],
    ['a text direction override', jwt(boundPayload({}, { jti: 'a\u202eb' })), /other claims/],
  ])('refuses %s', (_, token, sentence) => {
    expect(problem(token)).toMatch(sentence);
  });

  it('never puts any of the token into the sentence', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1000 }), fc.nat({ max: 1000 }), (from, to) => {
        const token = boundToken('ES256');
        const found = readClaims(token.slice(from % token.length, to % token.length || undefined));
        if ('problem' in found)
          for (let i = 0; i + 12 < token.length; i++)
            expect(found.problem).not.toContain(token.slice(i, i + 12));
      }),
      { numRuns: 30 },
    );
  });

  it('survives anything', () => {
    const json = fc.jsonValue().map(part);
    const anything = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc.tuple(json, json, fc.base64String()).map((parts) => parts.join('.')),
      fc
        .dictionary(
          fc.constantFrom('sub', 'iss', 'kubernetes.io', `${K}namespace`, '__proto__'),
          fc.jsonValue(),
        )
        .map((payload) => unsignedJwt({ sub: 'system:serviceaccount:a:b', ...payload }, rsa)),
    );
    fc.assert(
      fc.property(anything, (text) => {
        const found = readClaims(text);
        expect('problem' in found ? found.problem : found.namespace).toBeTypeOf('string');
      }),
    );
  });
});
