// The first two parts of a compact JSON Web Signature as JSON, and how long the third may be (RFC 7515, RFC 7518). Pure.

/** Characters; no token of a ServiceAccount is longer. */
export const MAX_CHARS = 16 * 1024;
const MAX_DEPTH = 16;

/** Characters of a signature, shortest first; for RSA those of the common key sizes (2048, 3072, 4096, 8192 bits). */
const RSA = [342, 512, 683, 1366];

const SIGNATURE_CHARS = new Map<unknown, readonly number[]>([
  ['RS256', RSA],
  ['RS384', RSA],
  ['RS512', RSA],
  ['ES256', [86]],
  ['ES384', [128]],
  ['ES512', [176]],
]);

/** How long the signature behind this first part of a token may be, in characters; empty where it is no token of ours. */
export function signatureLengths(head: string): readonly number[] {
  return head.length > MAX_CHARS ? [] : (SIGNATURE_CHARS.get(decode(head)?.alg) ?? []);
}

/** Whether a whole signature by this algorithm is so long; RSA keys have any size. Undefined: no API server signs so. */
export function isWhole(alg: unknown, signature: string): boolean | undefined {
  const lengths = SIGNATURE_CHARS.get(alg);
  return lengths === RSA ? signature.length >= 342 : lengths?.includes(signature.length);
}

/** A JSON object in base64url, not nested absurdly. */
export function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isObject(value) && isShallow(value, MAX_DEPTH) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isShallow(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return left > 0 && Object.values(value).every((inner) => isShallow(inner, left - 1));
}
