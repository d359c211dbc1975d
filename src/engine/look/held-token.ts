// May the token that an incident holds be used for what the incident is about? A stranger's or an altered one proves nothing.
import { readClaims } from '../../domain/token/claims.ts';
import type { Authenticity, TokenIdentity } from '../../domain/token/identity.ts';
import type { Secret } from '../../secret.ts';

/** Its own signature, or the Secret that holds it, gave the identity. */
const BY_ITSELF: ReadonlySet<Authenticity> = new Set(['signature', 'uid-match', 'hash']);

/** The token, where it may be sent to this cluster, be the condition of a write there, and be asked about. Pure: no read. */
export function heldFor(
  identity: TokenIdentity,
  cluster: string,
  token: Secret | undefined,
): Secret | undefined {
  if (token === undefined || !BY_ITSELF.has(identity.authenticity)) return undefined;
  if (!identity.clusters.includes(cluster)) return undefined;
  return isVerbatim(token) && isAbout(identity, token) ? token : undefined;
}

/** It says of itself what the identity says; that is no proof of anything. */
export function isAbout(identity: TokenIdentity, token: Secret): boolean {
  const claims = readClaims(token.reveal());
  if ('problem' in claims) return false;
  return (
    claims.kind === identity.kind &&
    claims.namespace === identity.namespace &&
    claims.serviceAccount.uid === identity.serviceAccount.uid &&
    claims.boundTo?.name === identity.boundTo?.name &&
    claims.boundTo?.uid === identity.boundTo?.uid &&
    claims.jti === identity.jti
  );
}

/** Spare bits at the end of a base64url part change the text and not the signature; API servers compare the text. */
export const isVerbatim = (token: Secret): boolean =>
  token
    .reveal()
    .split('.')
    .every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
