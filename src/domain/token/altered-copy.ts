// Tells an altered copy of a token from another token that says the same.

/**
 * RSA signs the same text with the same signature, so that another one was altered. ECDSA draws a number for each, which
 * is the first half of the signature; its second half can be mirrored, and still verifies, by whoever has the token.
 */
export function isAlteredCopy(held: string, stored: string): boolean {
  const [heldInput, heldSignature] = split(held);
  const [input, signature] = split(stored);
  if (held === stored || heldInput !== input) return false;
  if (!isEcdsa(stored)) return true;
  const half = signature.length / 2;
  return signature.subarray(0, half).equals(heldSignature.subarray(0, half));
}

function split(token: string): [input: string, signature: Buffer] {
  const end = token.lastIndexOf('.');
  return [token.slice(0, end), Buffer.from(token.slice(end + 1), 'base64url')];
}

/** Claimed, not verified. */
export function isEcdsa(token: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    return String((header as { alg?: unknown } | null)?.alg).startsWith('ES');
  } catch {
    return false;
  }
}
