// Reads what a ServiceAccount token says about itself, without believing it: nothing here verifies a signature.
import { z } from 'zod';
import { isNamespaceName, isObjectName, isUid } from '../kubernetes/names.ts';
import { decode, isWhole, MAX_CHARS } from '../text/jws.ts';
import type { TokenIdentity, TokenKind } from './identity.ts';

export interface Claims {
  kind: Exclude<TokenKind, 'every-token'>;
  namespace: string;
  serviceAccount: { name: string; uid: string };
  boundTo?: NonNullable<TokenIdentity['boundTo']>;
  issuer: string;
  /** Empty for legacy tokens. */
  audiences: string[];
  jti?: string;
  keyId?: string;
  alg: string;
  /** Unix seconds. */
  issuedAt?: number;
  expiresAt?: number;
}

export interface Unreadable {
  /** One sentence for people, without any of the token in it. */
  problem: string;
}

const PART = /^[A-Za-z0-9_-]+$/;

export const TRUNCATED =
  'The token is cut off or altered: copy all of it, three parts joined by two dots, and send it again.';
const FOREIGN =
  'This is a JSON Web Token, but not of a Kubernetes ServiceAccount: it has to be revoked where it was issued.';

export function readClaims(token: string): Claims | Unreadable {
  if (token.length > MAX_CHARS)
    return {
      problem: `The text is longer than any ServiceAccount token (${MAX_CHARS} characters): send the token alone.`,
    };
  const [head = '', body = '', signature = '', ...rest] = token.split('.');
  if (!head.startsWith('eyJ'))
    return {
      problem: 'This is not a JSON Web Token, which a ServiceAccount token is: it would begin with eyJ.',
    };
  if (rest.length > 0 || !body.startsWith('eyJ') || ![head, body, signature].every((part) => PART.test(part)))
    return { problem: TRUNCATED };
  const header = decode(head);
  const payload = decode(body);
  if (header === undefined || payload === undefined) return { problem: TRUNCATED };
  const alg = header.alg;
  const whole = isWhole(alg, signature);
  if (whole === undefined || typeof alg !== 'string')
    return {
      problem:
        'The token is signed in a way that no Kubernetes API server uses: it is not a ServiceAccount token.',
    };
  if (!whole) return { problem: TRUNCATED };
  const keyId = keyIdSchema.safeParse(header.kid).data;
  return fromPayload(payload, { alg, ...(keyId === undefined ? {} : { keyId }) });
}

const plain = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^\P{C}+$/u);
const keyIdSchema = plain(512);
const objectName = z.string().refine(isObjectName);
const namespace = z.string().refine(isNamespaceName);
const uid = z.string().refine(isUid);
const named = z.object({ name: objectName, uid });
const unixSeconds = z.number().min(0).max(1e11).optional();

const boundSchema = z.object({
  iss: plain(2048),
  sub: z.string(),
  aud: z.union([plain(2048).transform((one) => [one]), z.array(plain(2048)).max(64)]).default([]),
  jti: plain(256).optional(),
  iat: unixSeconds,
  exp: unixSeconds,
  'kubernetes.io': z.looseObject({
    namespace,
    serviceaccount: named,
    pod: named.optional(),
    secret: named.optional(),
    node: named.optional(),
  }),
});

const P = 'kubernetes.io/serviceaccount/';
const legacySchema = z.object({
  iss: plain(2048),
  sub: z.string(),
  [`${P}namespace`]: namespace,
  [`${P}secret.name`]: objectName,
  [`${P}service-account.name`]: objectName,
  [`${P}service-account.uid`]: uid,
});

function fromPayload(
  payload: Record<string, unknown>,
  header: Pick<Claims, 'alg' | 'keyId'>,
): Claims | Unreadable {
  const subject = typeof payload.sub === 'string' ? payload.sub : '';
  if (!subject.startsWith('system:serviceaccount:')) return { problem: FOREIGN };
  const claims = 'kubernetes.io' in payload ? fromBound(payload, header) : fromLegacy(payload, header);
  if (claims === undefined)
    return {
      problem: 'The token names a ServiceAccount, but its other claims are not those that Kubernetes writes.',
    };
  if (subject !== `system:serviceaccount:${claims.namespace}:${claims.serviceAccount.name}`)
    return { problem: 'The token contradicts itself about its ServiceAccount: Kubernetes did not issue it.' };
  return claims;
}

function fromBound(
  payload: Record<string, unknown>,
  header: Pick<Claims, 'alg' | 'keyId'>,
): Claims | undefined {
  const parsed = boundSchema.safeParse(payload).data;
  if (parsed === undefined) return undefined;
  const { pod, secret, node, serviceaccount } = parsed['kubernetes.io'];
  // A Pod's token also names the node that it runs on; only the Pod's end kills it.
  const bound: Pick<Claims, 'kind' | 'boundTo'> = pod
    ? { kind: 'pod-bound', boundTo: { kind: 'Pod', ...pod } }
    : secret
      ? { kind: 'secret-bound', boundTo: { kind: 'Secret', ...secret } }
      : node
        ? { kind: 'node-bound', boundTo: { kind: 'Node', ...node } }
        : boundToOther(parsed['kubernetes.io']);
  return {
    ...header,
    ...bound,
    namespace: parsed['kubernetes.io'].namespace,
    serviceAccount: serviceaccount,
    issuer: parsed.iss,
    audiences: parsed.aud,
    ...(parsed.jti === undefined ? {} : { jti: parsed.jti }),
    ...(parsed.iat === undefined ? {} : { issuedAt: parsed.iat }),
    ...(parsed.exp === undefined ? {} : { expiresAt: parsed.exp }),
  };
}

const KNOWN = ['namespace', 'serviceaccount', 'pod', 'secret', 'node', 'warnafter'];
const claimName = z.string().regex(/^[a-z]{1,64}$/);
const otherObject = z.object({ name: objectName, uid: uid.optional() });

/** Newer Kubernetes binds tokens to more kinds: one that is not known here is not the same as none. */
function boundToOther(claims: Record<string, unknown>): Pick<Claims, 'kind' | 'boundTo'> {
  for (const [key, value] of Object.entries(claims)) {
    const object = otherObject.safeParse(value).data;
    if (KNOWN.includes(key) || object === undefined) continue;
    const { name, uid: id } = object;
    const kind = claimName.safeParse(key).data ?? 'object';
    return { kind: 'other-bound', boundTo: { kind, name, ...(id === undefined ? {} : { uid: id }) } };
  }
  return { kind: 'unbound' };
}

function fromLegacy(
  payload: Record<string, unknown>,
  header: Pick<Claims, 'alg' | 'keyId'>,
): Claims | undefined {
  const parsed = legacySchema.safeParse(payload).data as Record<string, string> | undefined;
  if (parsed === undefined) return undefined;
  const claim = (name: string): string => parsed[name] ?? '';
  return {
    ...header,
    kind: 'legacy',
    namespace: claim(`${P}namespace`),
    serviceAccount: { name: claim(`${P}service-account.name`), uid: claim(`${P}service-account.uid`) },
    boundTo: { kind: 'Secret', name: claim(`${P}secret.name`) },
    issuer: claim('iss'),
    audiences: [],
  };
}
