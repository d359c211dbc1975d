// The cheap look says of every kind of token what API servers say, until the very moment of its death.
import { afterEach, describe, expect, it } from 'vitest';
import { resources } from '../../../src/domain/kubernetes/resources.ts';
import { readClaims } from '../../../src/domain/token/claims.ts';
import type { TokenIdentity } from '../../../src/domain/token/identity.ts';
import { readLiveness } from '../../../src/engine/look/read-liveness.ts';
import type { Cluster } from '../../../src/ports/cluster.ts';
import { type Harness, seedLegacy, startHarness, statusWith } from '../harness.ts';

let h: Harness;
afterEach(() => h.close());

const serviceAccount = { resource: resources.serviceAccounts, namespace: 'payments', name: 'api' };
const secret = { resource: resources.secrets, namespace: 'payments', name: 'api-token' };

function identityOf(token: string): TokenIdentity {
  const claims = readClaims(token);
  if ('problem' in claims) throw new Error(claims.problem);
  return { ...claims, clusters: ['prod'], authenticity: 'signature' };
}

const cluster = (): Cluster => {
  const [found] = h.connected;
  if (!found) throw new Error('no cluster');
  return found;
};
const look = async (token: string) => (await readLiveness(cluster(), identityOf(token), h.now())).alive;

async function unbound(finalizers: string[] = []): Promise<string> {
  h = await startHarness({ clusters: { prod: { servers: 2 } } });
  h.cluster().seed.namespace('payments');
  h.cluster().seed.serviceAccount('payments', 'api', { finalizers });
  return h.cluster().seed.requestToken('payments', 'api', { expirationSeconds: 86_400 });
}

describe('the cheap look', () => {
  it('never calls a token dead that was used at the last instant, nor alive for long after', async () => {
    const token = await unbound(['example.com/keep']);
    await cluster().remove(serviceAccount, {});
    for (let second = 0; second < 90; second += 3) {
      const [seen, answers] = [await look(token), await statusWith(cluster(), token)];
      if (seen === 'dead') expect(answers).toBe('refused,refused');
      if (second > 72) expect(seen).toBe('dead');
      h.advance(3000);
    }
  });

  it('reads nothing but what the token depends on', async () => {
    h = await startHarness();
    const token = await seedLegacy(h.cluster());
    const before = h.cluster().requests.length;
    expect(await look(token)).toBe('alive');
    expect(h.cluster().requests.slice(before)).toHaveLength(2);
    await cluster().remove(secret, {});
    expect(await look(token)).toBe('dead');
  });

  it('is of two minds about a Secret that took the name without being a token Secret', async () => {
    h = await startHarness();
    const token = await seedLegacy(h.cluster());
    await cluster().remove(secret, {});
    h.cluster().seed.secret('payments', 'api-token', { token });
    expect(await statusWith(cluster(), token)).toBe('accepted');
    expect(await look(token)).toBe('unknown');
  });

  it.each([403, 500])('calls nothing dead that it could not read (%i)', async (status) => {
    h = await startHarness();
    const token = await seedLegacy(h.cluster());
    await cluster().remove(secret, {});
    h.cluster().faults.failNext(100, status, ({ path }) => path.includes('/secrets'));
    const { alive, reason } = await readLiveness(cluster(), identityOf(token), h.now());
    expect(alive).toBe('unknown');
    expect(reason).toContain(String(status));
    h.cluster().faults.failNext(100, status, ({ path }) => path.includes('/serviceaccounts'));
    expect(await look(token)).toBe('unknown');
  });

  it('knows of a ServiceAccount that is gone, whatever else cannot be read', async () => {
    h = await startHarness();
    const token = await seedLegacy(h.cluster());
    await cluster().remove(serviceAccount, {});
    h.cluster().faults.failNext(100, 500, ({ path }) => path.includes('/secrets'));
    expect(await look(token)).toBe('dead');
  });
});
