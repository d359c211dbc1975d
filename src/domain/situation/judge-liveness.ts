// Judges from object state whether a token is still accepted: many leaked tokens are already dead, and saying so is a good outcome.
import { QUARANTINE_SINCE_MINOR } from '../kubernetes/legacy-token-labels.ts';
import type { TokenIdentity } from '../token/identity.ts';
import type { Situation, TokenSecretFact } from './situation.ts';
import { secretsAtStake } from './stake.ts';

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
const unknown = (reason: string): Liveness => ({ alive: 'unknown', reason });

/** How long API servers still accept a token after its expiry or after the deletionTimestamp of what it depends on. */
const LEEWAY_MS = 60_000;

/**
 * How long an API server still answers from memory after the death of a token that was used at the last instant: its
 * success cache of 10 s, and what it takes until the change has reached it.
 */
export const SUCCESS_CACHE_MS = 12_000;

export function judgeLiveness(identity: TokenIdentity, facts: ObjectFacts, nowMs: number): Liveness {
  const { expiresAt, serviceAccount, kind } = identity;
  const account = facts.serviceAccount;
  if (expiresAt !== undefined && lastMs(expiresAt * 1000) < nowMs)
    return dead(
      `it expired at ${iso(expiresAt * 1000)}: refused since ${iso(lastMs(expiresAt * 1000))} at the latest`,
    );
  if (account === null) return gone('its ServiceAccount does not exist (any more)', nowMs);
  if (serviceAccount.uid !== undefined && account.uid !== serviceAccount.uid)
    return gone(
      'its ServiceAccount was re-created since: the UID in the token is not the one of today',
      nowMs,
    );
  if (kind === 'legacy') return legacy(identity, facts, nowMs);
  if (account.deleting) {
    const going = leaving('its ServiceAccount', account.deletionTimestamp, nowMs);
    if (going.alive === 'dead') return going;
    const other = kind === 'every-token' ? going : bound(identity, facts, nowMs);
    return other.alive === 'dead' ? other : going;
  }
  return kind === 'every-token' ? every(identity, facts) : bound(identity, facts, nowMs);
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** The last moment at which an API server may accept a token that is only dying since then. */
const lastMs = (sinceMs: number): number => sinceMs + LEEWAY_MS + SUCCESS_CACHE_MS;

/** Nobody can see since when: at the latest since now. */
const gone = (what: string, nowMs: number): Liveness =>
  dead(`${what}; refused by every API server at the latest from ${iso(nowMs + SUCCESS_CACHE_MS)}`);

/** Something that a token of TokenRequest depends on, and that is being deleted: a finalizer may hold it for long. */
function leaving(what: string, since: string | undefined, nowMs: number): Liveness {
  if (since === undefined) return unknown(`${what} is being deleted, nobody can see since when`);
  const until = lastMs(Date.parse(since));
  return until < nowMs
    ? dead(`${what} is being deleted since ${since}: refused since ${iso(until)} at the latest`)
    : { ...alive(`${what} is being deleted: accepted at most until ${iso(until)}`), until: iso(until) };
}

function legacy(
  { boundTo }: TokenIdentity,
  { serviceAccount, tokenSecrets }: ObjectFacts,
  nowMs: number,
): Liveness {
  if (serviceAccount?.deleting) return gone('its ServiceAccount is being deleted', nowMs);
  if (tokenSecrets === undefined) return unknown('its Secret could not be read');
  const secret = tokenSecrets.find(({ name }) => name === boundTo?.name);
  if (secret === undefined)
    return gone(
      `its Secret ${boundTo?.name} does not exist (any more) as a token Secret of this ServiceAccount`,
      nowMs,
    );
  if (secret.deleting) return gone('its Secret is being deleted', nowMs);
  if (secret.invalidSince)
    return { alive: 'quarantined', reason: `its Secret is quarantined since ${secret.invalidSince}` };
  if (secret.otherType)
    return unknown(
      'a Secret of that name exists, though of another type: if it holds the leaked value, API servers accept it',
    );
  return alive('its Secret and ServiceAccount exist, with the UID in the token');
}

function every(identity: TokenIdentity, { tokenSecrets }: ObjectFacts): Liveness {
  const others = 'tokens of it from the TokenRequest API cannot be listed';
  const exists = `the ServiceAccount exists, with ${tokenSecrets?.length ?? 'unreadable'} token Secrets; ${others}`;
  const atStake: TokenSecretFact[] = tokenSecrets ? secretsAtStake(identity, { tokenSecrets }) : [];
  if (atStake.length === 0) return alive(exists);
  const open = atStake.filter(({ invalidSince }) => !invalidSince).map(({ name }) => name);
  if (open.length > 0) return { ...alive(`${exists}; not quarantined: ${open.join(', ')}`), open: true };
  const names = atStake.map(({ name, invalidSince }) => `${name} since ${invalidSince}`).join(', ');
  return {
    alive: 'quarantined',
    reason: `every token Secret at stake is quarantined (${names}); ${others}`,
  };
}

function bound({ kind, boundTo }: TokenIdentity, { boundObject }: ObjectFacts, nowMs: number): Liveness {
  if (boundTo === undefined)
    return alive('its ServiceAccount exists with the UID in the token, and it is bound to nothing else');
  const what = `the ${boundTo.kind} ${boundTo.name} that it is bound to`;
  if (kind === 'other-bound')
    return unknown(`${what} is of a kind that is not looked at here: only the API servers know`);
  if (boundObject === undefined) return unknown(`${what} could not be read`);
  if (boundObject === null) return gone(`${what} does not exist (any more)`, nowMs);
  if (boundObject.uid !== boundTo.uid) return gone(`${what} was replaced by another of that name`, nowMs);
  return boundObject.deletionTimestamp
    ? leaving(what, boundObject.deletionTimestamp, nowMs)
    : alive(`${what} exists`);
}

/** A label that some API server does not look at stops nobody there. */
export function heeded(liveness: Liveness, servers: Situation['servers']): Liveness {
  if (liveness.alive !== 'quarantined') return liveness;
  const old = servers.filter(({ minor }) => minor !== null && minor < QUARANTINE_SINCE_MINOR);
  const names = old.map(({ address }) => address).join(', ');
  if (old.length > 0)
    return {
      alive: 'alive',
      open: true,
      reason: `${liveness.reason}, but API servers before 1.${QUARANTINE_SINCE_MINOR} do not look at that: ${names}`,
    };
  if (servers.length > 0 && servers.every(({ minor }) => minor !== null)) return liveness;
  return {
    alive: 'unknown',
    reason: `${liveness.reason}, but which version the API servers have, and so whether they look at that, is not known`,
  };
}
