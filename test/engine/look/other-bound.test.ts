// A token bound to a kind of object that is not known here: not called unbound, not called alive, and killed all the same.
import { randomUUID, sign } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterEach, expect, it } from 'vitest';
import type { Cluster } from '../../../src/ports/cluster.ts';
import { type Harness, startHarness, statusWith } from '../harness.ts';

let h: Harness;
afterEach(() => h.close());

/** As Kubernetes 1.37 issues them for webhook configurations, behind a feature gate. */
function boundToWebhook(): string {
  const { seed, keys } = h.cluster();
  seed.namespace('payments');
  seed.serviceAccount('payments', 'api');
  const plain = seed.requestToken('payments', 'api', { expirationSeconds: 86_400 });
  const claims = decodeJwt<{ 'kubernetes.io': object }>(plain);
  const validatingwebhookconfiguration = { name: 'gate', uid: randomUUID() };
  const bound = {
    ...claims,
    'kubernetes.io': { ...claims['kubernetes.io'], validatingwebhookconfiguration },
  };
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode(decodeProtectedHeader(plain))}.${encode(bound)}`;
  return `${input}.${sign('sha256', Buffer.from(input), keys.bound.privateKey).toString('base64url')}`;
}

it('is planned for by its ServiceAccount, and the servers prove its death', async () => {
  h = await startHarness({ clusters: { prod: { servers: 2 } } });
  const token = boundToWebhook();
  const { incidentId: id } = await h.leak(token);
  await h.run(id);
  const { identity, situations, plan } = h.incident(id);
  expect(identity).toMatchObject({
    kind: 'other-bound',
    boundTo: { kind: 'validatingwebhookconfiguration', name: 'gate' },
  });
  expect(situations[0]?.liveness.alive).toBe('unknown');
  expect(plan?.steps.map(({ action }) => action)).toEqual(['recreate-service-account']);
  expect(plan?.notes.join('\n')).toContain('validatingwebhookconfiguration gate');
  await h.click(id, 'approve', 'UINES');
  await h.run(id, 60_000);
  expect(await statusWith(h.connected[0] as Cluster, token)).toBe('refused,refused');
  expect(h.incident(id).proof).toMatchObject({
    outcome: { verdict: 'done' },
    rounds: expect.arrayContaining([expect.objectContaining({ level: 'each-server' })]),
  });
});
