// Who accepts a token without asking any API server, and until when: those whom its audiences name. Pure.
import type { TokenIdentity } from './identity.ts';

/** Whatever may have been identified. */
type MaybeIdentified = { identity?: TokenIdentity };

/**
 * Audiences of the token that are not an API server's own issuer: they verify it offline, until it expires, whatever
 * the API server says. The API server's audience is by default the issuer.
 */
export function offlineAudiences(identity: TokenIdentity): string[] {
  return identity.audiences.filter((audience) => audience !== identity.issuer && !isApiServer(audience));
}

const isApiServer = (audience: string): boolean =>
  /^https:\/\/kubernetes\.default\.svc(\.cluster\.local)?\/?$/.test(audience);

/** Unix seconds until which somebody may accept the token offline; undefined where nobody does. */
export function offlineUntil(incident: MaybeIdentified): number | undefined {
  const identity = incident.identity;
  if (identity === undefined || offlineAudiences(identity).length === 0) return undefined;
  return identity.expiresAt ?? Number.POSITIVE_INFINITY;
}

export const acceptedOffline = (incident: MaybeIdentified, nowMs: number): boolean =>
  (offlineUntil(incident) ?? 0) * 1000 > nowMs;
