// Judges from object state whether a token is still accepted: many leaked tokens are already dead, and saying so is a good outcome.
import type { Situation } from './situation.ts';
import type { TokenIdentity } from './token-identity.ts';

export interface ObjectFacts {
  serviceAccount: Situation['serviceAccount'];
  /** Undefined: could not be read. */
  tokenSecrets: Situation['tokenSecrets'] | undefined;
  /** Null: gone. Undefined: could not be read. */
  boundObject: Situation['boundObject'] | undefined;
}

type Liveness = Situation['liveness'];
const dead = (reason: string): Liveness => ({ alive: 'dead', reason });
const alive = (reason: string): Liveness => ({ alive: 'alive', reason });

/** How long API servers still accept a token after its expiry or after its bound object's deletionTimestamp. */
const LEEWAY_MS = 60_000;

export function judgeLiveness(identity: TokenIdentity, facts: ObjectFacts, nowMs: number): Liveness {
  const { expiresAt, serviceAccount, kind } = identity;
  if (expiresAt !== undefined && expiresAt * 1000 + LEEWAY_MS < nowMs)
    return dead(`it expired at ${new Date(expiresAt * 1000).toISOString()}`);
  if (facts.serviceAccount === null) return dead('its ServiceAccount does not exist (any more)');
  if (serviceAccount.uid !== undefined && facts.serviceAccount.uid !== serviceAccount.uid)
    return dead('its ServiceAccount was re-created since: the UID in the token is not the one of today');
  if (kind === 'legacy') return legacy(identity, facts);
  if (kind === 'every-token')
    return alive(
      `the ServiceAccount exists, with ${facts.tokenSecrets?.length ?? 'unreadable'} token Secrets; other tokens of it cannot be listed`,
    );
  return bound(identity, facts, nowMs);
}

function legacy({ boundTo }: TokenIdentity, { serviceAccount, tokenSecrets }: ObjectFacts): Liveness {
  if (serviceAccount?.deleting) return dead('its ServiceAccount is being deleted');
  if (tokenSecrets === undefined) return { alive: 'unknown', reason: 'its Secret could not be read' };
  const secret = tokenSecrets.find(({ name }) => name === boundTo?.name);
  if (secret === undefined)
    return dead(
      `its Secret ${boundTo?.name} does not exist (any more) as a token Secret of this ServiceAccount`,
    );
  if (secret.deleting) return dead('its Secret is being deleted');
  if (secret.invalidSince)
    return { alive: 'quarantined', reason: `its Secret is quarantined since ${secret.invalidSince}` };
  if (secret.otherType)
    return {
      alive: 'unknown',
      reason:
        'a Secret of that name exists, though of another type: if it holds the leaked value, API servers accept it',
    };
  return alive('its Secret and ServiceAccount exist, with the UID in the token');
}

function bound({ boundTo }: TokenIdentity, { boundObject }: ObjectFacts, nowMs: number): Liveness {
  if (boundTo === undefined)
    return alive('its ServiceAccount exists with the UID in the token, and it is bound to nothing else');
  const what = `${boundTo.kind} ${boundTo.name}`;
  if (boundObject === undefined)
    return { alive: 'unknown', reason: `the ${what} that it is bound to could not be read` };
  if (boundObject === null) return dead(`the ${what} that it is bound to does not exist (any more)`);
  if (boundObject.uid !== boundTo.uid)
    return dead(`the ${what} that it is bound to was replaced by another of that name`);
  const until = boundObject.deletionTimestamp && Date.parse(boundObject.deletionTimestamp) + LEEWAY_MS;
  if (until && until < nowMs)
    return dead(`the ${what} that it is bound to is being deleted, for more than a minute`);
  if (until)
    return alive(
      `the ${what} that it is bound to is being deleted: accepted at most until ${new Date(until).toISOString()}`,
    );
  return alive(`the ${what} that it is bound to exists`);
}
