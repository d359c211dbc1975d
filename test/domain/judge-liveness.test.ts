// Alive by object state: the claims' UIDs against what exists now.
import { describe, expect, it } from 'vitest';
import { judgeLiveness, type ObjectFacts } from '../../src/domain/judge-liveness.ts';
import type { TokenSecretFact } from '../../src/domain/situation.ts';
import type { TokenIdentity } from '../../src/domain/token-identity.ts';

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
    ['expired beyond the leeway', unbound({ expiresAt: seconds(-61) }), facts(), 'dead'],
    ['expired within the leeway', unbound({ expiresAt: seconds(-59) }), facts(), 'alive'],
    ['unbound', unbound(), facts(), 'alive'],
    ['Pod exists', podBound, facts({ boundObject: pod() }), 'alive'],
    ['Pod gone', podBound, facts({ boundObject: null }), 'dead'],
    ['Pod unreadable', podBound, facts({ boundObject: undefined }), 'unknown'],
    ['Pod replaced by a namesake', podBound, facts({ boundObject: pod({ uid: 'p-2' }) }), 'dead'],
    [
      'Pod terminating for less than a minute',
      podBound,
      facts({ boundObject: pod({ deletionTimestamp: iso(-59) }) }),
      'alive',
    ],
    [
      'Pod terminating for more than a minute',
      podBound,
      facts({ boundObject: pod({ deletionTimestamp: iso(-61) }) }),
      'dead',
    ],
    ['every token of a ServiceAccount', identity({ kind: 'every-token' }), facts(), 'alive'],
  ])('%s', (_name, token, seen, alive) => {
    expect(judgeLiveness(token, seen, NOW).alive).toBe(alive);
  });
});
