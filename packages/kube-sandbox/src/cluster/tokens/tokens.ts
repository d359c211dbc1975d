// Signs ServiceAccount tokens exactly as Kubernetes does: same header, same claims, same key ids.
import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign, verify } from 'node:crypto';
import type { KubeObject, ServiceAccountObject } from '../apimachinery/objects.ts';

export type SigningAlgorithm = 'RS256' | 'ES256';

export interface SigningKey {
  id: string;
  algorithm: SigningAlgorithm;
  privateKey: KeyObject;
  publicKey: KeyObject;
}

/** One key normally signs both; an external signer may keep the legacy key out of discovery. */
export interface SigningKeys {
  bound: SigningKey;
  legacy: SigningKey;
}

export const ISSUER = 'https://kubernetes.default.svc.cluster.local';
export const LEGACY_ISSUER = 'kubernetes/serviceaccount';

const HOUR_AND_SEVEN = 3607;
const ONE_YEAR = 365 * 24 * 3600;

export function generateSigningKey(algorithm: SigningAlgorithm): SigningKey {
  const { privateKey, publicKey } =
    algorithm === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const id = createHash('sha256').update(der).digest('base64url');
  return { id, algorithm, privateKey, publicKey };
}

export function jwks(keys: SigningKey[]): { keys: Record<string, unknown>[] } {
  return {
    keys: keys.map((key) => ({
      use: 'sig',
      kid: key.id,
      alg: key.algorithm,
      ...key.publicKey.export({ format: 'jwk' }),
    })),
  };
}

function signJwt(key: SigningKey, claims: Record<string, unknown>): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode({ alg: key.algorithm, kid: key.id })}.${encode(claims)}`;
  // RS256 is deterministic and ES256 is not: that is why only RSA brings a leaked token back under the old name.
  const signature = sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

export function signatureIsValid(key: SigningKey, token: string): boolean {
  const end = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  const options = { key: key.publicKey, dsaEncoding: 'ieee-p1363' } as const;
  return verify('sha256', Buffer.from(token.slice(0, end)), options, signature);
}

export function legacyToken(key: SigningKey, serviceAccount: KubeObject, secretName: string): string {
  const { name, namespace, uid } = serviceAccount.metadata;
  return signJwt(key, {
    iss: LEGACY_ISSUER,
    'kubernetes.io/serviceaccount/namespace': namespace,
    'kubernetes.io/serviceaccount/secret.name': secretName,
    'kubernetes.io/serviceaccount/service-account.name': name,
    'kubernetes.io/serviceaccount/service-account.uid': uid,
    sub: `system:serviceaccount:${namespace}:${name}`,
  });
}

export interface BoundTokenRequest {
  serviceAccount: ServiceAccountObject;
  audiences: string[];
  expirationSeconds: number;
  boundTo?: { kind: 'Pod' | 'Secret' | 'Node'; object: KubeObject };
  /** The node a Pod runs on: told in the claims, not checked. */
  node?: KubeObject | undefined;
  nowMs: number;
}

function reference(object: KubeObject): { name: string; uid: string } {
  return { name: object.metadata.name, uid: object.metadata.uid };
}

export function boundToken(key: SigningKey, request: BoundTokenRequest): string {
  const { serviceAccount, audiences, expirationSeconds, boundTo, node, nowMs } = request;
  const { name, namespace } = serviceAccount.metadata;
  const now = Math.floor(nowMs / 1000);
  // A kubelet asks for 3607 s; the server silently makes that a year, and notes when it should have ended.
  const forServer = audiences.every((each) => each === ISSUER);
  const extended = boundTo?.kind === 'Pod' && expirationSeconds === HOUR_AND_SEVEN && forServer;
  return signJwt(key, {
    aud: audiences,
    exp: now + (extended ? ONE_YEAR : expirationSeconds),
    iat: now,
    iss: ISSUER,
    jti: randomUUID(),
    'kubernetes.io': {
      namespace,
      ...(node === undefined ? {} : { node: reference(node) }),
      ...(boundTo === undefined ? {} : { [boundTo.kind.toLowerCase()]: reference(boundTo.object) }),
      serviceaccount: reference(serviceAccount),
      ...(extended ? { warnafter: now + expirationSeconds } : {}),
    },
    nbf: now,
    sub: `system:serviceaccount:${namespace}:${name}`,
  });
}
