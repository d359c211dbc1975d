// A 401 for the audience says nothing about revocation, whatever token the control request is made with.
import { afterEach, describe, expect, it } from 'vitest';
import { resources } from '../../../src/domain/kubernetes/resources.ts';
import { readClaims } from '../../../src/domain/token/claims.ts';
import type { TokenIdentity } from '../../../src/domain/token/identity.ts';
import { probeRound } from '../../../src/engine/prove/probe.ts';
import type { Cluster } from '../../../src/ports/cluster.ts';
import { Secret } from '../../../src/secret.ts';
import { type Harness, startHarness } from '../harness.ts';

const API = 'https://kubernetes.default.svc.cluster.local';
const VAULT = 'https://vault.example.com';

let h: Harness;
afterEach(() => h.close());

/** One round about a token for `audiences`, while the control is a token for others, or a legacy token for none. */
async function round(audiences: string[], control: string[], name = 'api', kill = false) {
  h = await startHarness({ clusters: { prod: { servers: 2 } } });
  const { seed } = h.cluster();
  seed.namespace('payments');
  seed.serviceAccount('payments', name);
  seed.serviceAccount('payments', 'healthy');
  const token = new Secret(seed.requestToken('payments', name, { audiences }));
  const healthy = control.length
    ? seed.requestToken('payments', 'healthy', { audiences: control })
    : await seed.tokenSecret('payments', 'healthy-token', 'healthy');
  const [connected] = h.connected;
  if (!connected) throw new Error('no cluster');
  const cluster: Cluster = {
    ...connected,
    control: async () => ({ token: new Secret(healthy), audiences: control }),
  };
  const claims = readClaims(token.reveal());
  if ('problem' in claims) throw new Error(claims.problem);
  const identity: TokenIdentity = { ...claims, clusters: ['prod'], authenticity: 'signature' };
  const { incidentId } = await h.leak(token.reveal());
  if (kill) await cluster.remove({ resource: resources.serviceAccounts, namespace: 'payments', name }, {});
  return await probeRound(h.deps, h.incident(incidentId), identity, cluster, token);
}

const controls: [string, string[]][] = [
  ['of a legacy token', []],
  ['for the API server', [API]],
  ['for the API server and for the same audience', [API, VAULT]],
];

describe.each(controls)('with a control %s', (_, control) => {
  it.each([
    ['of its own', [VAULT]],
    ['of the API server', [API]],
    ['of both', [API, VAULT]],
  ])('a live token with an audience %s is accepted, and a dead one refused', async (_audience, audiences) => {
    expect((await round(audiences, control)).outcome.verdict).toBe('not-done');
    await h.close();
    expect((await round(audiences, control, 'api', true)).outcome.verdict).toBe('done');
  });
});

it('a name that contains the word does not make the answer unclear', async () => {
  expect((await round([VAULT], [], 'audience-api', true)).outcome.verdict).toBe('done');
});
