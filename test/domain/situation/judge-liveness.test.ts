// Alive by object state: the claims' UIDs against what exists now.
import { describe, expect, it } from 'vitest';
import { judgeLiveness, type ObjectFacts } from '../../../src/domain/situation/judge-liveness.ts';
import type { TokenSecretFact } from '../../../src/domain/situation/situation.ts';
import type { TokenIdentity } from '../../../src/domain/token/identity.ts';

const NOW = Date.parse('2026-11-24T03:00:00Z');
const seconds = (offset: number): number => NOW / 1000 + offset;
const iso = (offset: number): string => new Date(NOW + offset * 1000).toISOString();

const identity = (over: Partial<TokenIdentity> = {}): TokenIdentity => ({
  kind: 'legacy',
  clusters: ['prod'],
  namespace: 'payments',
  serviceAccount: { name: 'api', uid: 'sa-1' },
  boundTo: { kind: 'Secret', name: 'api-token' },
  audiences: [],
  authenticity: 'signature',
  ...over,
});

const unbound = (over: Partial<TokenIdentity> = {}): TokenIdentity => {
  const { boundTo: _, ...rest } = identity({ kind: 'unbound', ...over });
  return rest;
};

const secret = (over: Partial<TokenSecretFact> = {}): TokenSecretFact => ({
  name: 'api-token',
  uid: 's-1',
  resourceVersion: '1',
  deleting: false,
  hasLabels: false,
  managers: [],
  ...over,
});

const account = (over = {}) => ({
  name: 'api',
  uid: 'sa-1',
  deleting: false,
  finalizers: [],
  manifest: { metadata: { name: 'api' } },
  ...over,
});
const facts = (over: Partial<ObjectFacts> = {}): ObjectFacts => ({
  serviceAccount: account(),
  tokenSecrets: [secret()],
  boundObject: null,
  ...over,
});

const podBound = identity({
  kind: 'pod-bound',
  boundTo: { kind: 'Pod', name: 'api-0', uid: 'p-1' },
  expiresAt: seconds(3600),
});
const pod = (over = {}) => ({ kind: 'Pod' as const, name: 'api-0', uid: 'p-1', ...over });

const webhookBound = identity({
  kind: 'other-bound',
  boundTo: { kind: 'validatingwebhookconfiguration', name: 'gate', uid: 'w-1' },
});
const everyToken = (({ boundTo: _, ...rest }) => rest)(identity({ kind: 'every-token' }));
const off = (name: string) => secret({ name, invalidSince: '2026-11-24' });
/** Deleted that many seconds from now, and kept by somebody. */
const held = (offset: number) => ({
  serviceAccount: account({
    deleting: true,
    deletionTimestamp: iso(offset),
    finalizers: ['example.com/keep'],
  }),
});

describe('judgeLiveness', () => {
  it.each<[string, TokenIdentity, ObjectFacts, string]>([
    ['legacy, Secret and UID match', identity(), facts(), 'alive'],
    ['legacy, Secret gone', identity(), facts({ tokenSecrets: [] }), 'dead'],
    [
      'legacy, Secret unreadable is not the same as gone',
      identity(),
      facts({ tokenSecrets: undefined }),
      'unknown',
    ],
    [
      'legacy, Secret being deleted',
      identity(),
      facts({ tokenSecrets: [secret({ deleting: true })] }),
      'dead',
    ],
    [
      'legacy, Secret quarantined',
      identity(),
      facts({ tokenSecrets: [secret({ invalidSince: '2026-11-24' })] }),
      'quarantined',
    ],
    [
      'legacy, ServiceAccount being deleted',
      identity(),
      facts({ serviceAccount: account({ deleting: true }) }),
      'dead',
    ],
    ['ServiceAccount gone', identity(), facts({ serviceAccount: null }), 'dead'],
    ['ServiceAccount re-created', identity(), facts({ serviceAccount: account({ uid: 'sa-2' }) }), 'dead'],
    ['expired beyond leeway and cache', unbound({ expiresAt: seconds(-73) }), facts(), 'dead'],
    ['expired, perhaps used at the last instant', unbound({ expiresAt: seconds(-71) }), facts(), 'alive'],
    ['unbound', unbound(), facts(), 'alive'],
    ['Pod exists', podBound, facts({ boundObject: pod() }), 'alive'],
    ['Pod gone', podBound, facts({ boundObject: null }), 'dead'],
    ['Pod unreadable', podBound, facts({ boundObject: undefined }), 'unknown'],
    ['Pod replaced by a namesake', podBound, facts({ boundObject: pod({ uid: 'p-2' }) }), 'dead'],
    [
      'Pod terminating, perhaps used at the last instant of the leeway',
      podBound,
      facts({ boundObject: pod({ deletionTimestamp: iso(-71) }) }),
      'alive',
    ],
    [
      'Pod terminating beyond leeway and cache',
      podBound,
      facts({ boundObject: pod({ deletionTimestamp: iso(-73) }) }),
      'dead',
    ],
    ['unbound, ServiceAccount held by a finalizer', unbound(), facts(held(-73)), 'dead'],
    ['unbound, ServiceAccount being deleted just now', unbound(), facts(held(-71)), 'alive'],
    [
      'Pod exists, ServiceAccount held by a finalizer',
      podBound,
      facts({ ...held(-73), boundObject: pod() }),
      'dead',
    ],
    [
      'Pod exists, ServiceAccount being deleted',
      podBound,
      facts({ ...held(-1), boundObject: pod() }),
      'alive',
    ],
    ['Pod gone, ServiceAccount being deleted', podBound, facts(held(-1)), 'dead'],
    ['legacy, ServiceAccount held since a second', identity(), facts(held(-1)), 'dead'],
    [
      'unbound, ServiceAccount being deleted since nobody knows when',
      unbound(),
      facts({ serviceAccount: account({ deleting: true }) }),
      'unknown',
    ],
    ['bound to a kind that is not known', webhookBound, facts(), 'unknown'],
    [
      'bound to a kind that is not known, ServiceAccount gone',
      webhookBound,
      facts({ serviceAccount: null }),
      'dead',
    ],
    ['every token of a ServiceAccount', everyToken, facts(), 'alive'],
    ['every token, no token Secret', everyToken, facts({ tokenSecrets: [] }), 'alive'],
    ['every token, Secrets unreadable', everyToken, facts({ tokenSecrets: undefined }), 'alive'],
    [
      'every token, its Secrets quarantined',
      everyToken,
      facts({ tokenSecrets: [off('a'), off('b')] }),
      'quarantined',
    ],
    [
      'every token, one of its Secrets not quarantined',
      everyToken,
      facts({ tokenSecrets: [off('a'), secret()] }),
      'alive',
    ],
    [
      'every token, all quarantined but what takes their place',
      everyToken,
      facts({ tokenSecrets: [off('a'), secret({ replaces: 'a' })] }),
      'quarantined',
    ],
    ['every token, ServiceAccount held by a finalizer', everyToken, facts(held(-73)), 'dead'],
  ])('%s', (_name, token, seen, alive) => {
    expect(judgeLiveness(token, seen, NOW).alive).toBe(alive);
  });

  it('says until when a token that dies may still be accepted', () => {
    const { reason } = judgeLiveness(unbound(), facts(held(0)), NOW);
    expect(reason).toContain(iso(72));
  });

  it('says from when what is gone is surely refused', () => {
    expect(judgeLiveness(unbound(), facts({ serviceAccount: null }), NOW).reason).toContain(iso(12));
  });

  it('says that tokens of the TokenRequest API cannot be listed', () => {
    const { reason } = judgeLiveness(everyToken, facts({ tokenSecrets: [off('a')] }), NOW);
    expect(reason).toContain('cannot be listed');
  });
});
