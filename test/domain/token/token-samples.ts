// Makes ServiceAccount tokens at run time, so that no test file holds anything that looks like a real one.
import { generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto';

const keys = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  ES512: generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
};
export type SampleAlg = keyof typeof keys;

export const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signs anything at all, also what no API server would. */
export function jwt(
  payload: unknown,
  alg: SampleAlg = 'RS256',
  header: unknown = { alg, kid: 'key-1' },
): string {
  const input = `${part(header)}.${part(payload)}`;
  const hash = `sha${alg.slice(2)}`;
  const signature = sign(hash, Buffer.from(input), { key: keys[alg], dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

/** A token with a signature of random bytes of any length. */
export function unsignedJwt(payload: unknown, header: unknown, signatureBytes = 256): string {
  return `${part(header)}.${part(payload)}.${randomBytes(signatureBytes).toString('base64url')}`;
}

const P = 'kubernetes.io/serviceaccount/';

export function legacyPayload(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    iss: 'kubernetes/serviceaccount',
    [`${P}namespace`]: 'rohan',
    [`${P}secret.name`]: 'eomer-token-x7k2p',
    [`${P}service-account.name`]: 'eomer',
    [`${P}service-account.uid`]: randomUUID(),
    sub: 'system:serviceaccount:rohan:eomer',
    ...overrides,
  };
}

export function boundPayload(bound: Record<string, unknown> = {}, overrides: Record<string, unknown> = {}) {
  return {
    aud: ['https://kubernetes.default.svc.cluster.local'],
    exp: 1_749_207_355,
    iat: 1_717_671_355,
    nbf: 1_717_671_355,
    iss: 'https://kubernetes.default.svc.cluster.local',
    jti: randomUUID(),
    'kubernetes.io': {
      namespace: 'gondor',
      serviceaccount: { name: 'faramir', uid: randomUUID() },
      warnafter: 1_717_674_962,
      ...bound,
    },
    sub: 'system:serviceaccount:gondor:faramir',
    ...overrides,
  };
}

export const named = (name: string) => ({ name, uid: randomUUID() });
export const legacyToken = (alg: SampleAlg = 'RS256'): string => jwt(legacyPayload(), alg);
export const boundToken = (alg: SampleAlg = 'RS256'): string =>
  jwt(boundPayload({ pod: named('ranger-0') }), alg);
export const base64 = (text: string): string => Buffer.from(text).toString('base64');
/** As `base64` and terminals wrap. */
export const wrap = (text: string, width: number, indent = ''): string =>
  (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).map((line) => indent + line).join('\n');
