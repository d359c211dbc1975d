// What could not be read is not taken for what is not there, and what is merely dying is not taken for dead.
import { afterEach, describe, expect, it } from 'vitest';
import { hmslHash } from '../../../src/domain/token/hmsl-hash.ts';
import type { Cluster } from '../../../src/ports/cluster.ts';
import { type Harness, seedLegacy, startHarness, statusWith } from '../harness.ts';

let h: Harness;
afterEach(() => h.close());

describe('a token that is known by its hash alone', () => {
  it('is looked for again where a Secret could not be read', async () => {
    h = await startHarness({ settings: { searchNamespaces: { prod: ['payments'] } } });
    const token = await seedLegacy(h.cluster());
    h.cluster().faults.failNext(1, 500, ({ path }) => path.includes('/secrets'));
    const subject = { kind: 'hmsl-hash' as const, hash: await hmslHash(token) };
    const { incidentId: id } = await h.front.report({ alert: { source: 'report', subject } });
    await h.run(id);
    expect(h.incident(id).unidentified).toBeUndefined();
    await h.run(id, 60_000);
    expect(h.incident(id).identity).toMatchObject({ authenticity: 'hash', clusters: ['prod'] });
  });
});

describe('a proof by object state', () => {
  it('of a Pod that is held by a finalizer waits until its token is refused', async () => {
    h = await startHarness();
    const { seed } = h.cluster();
    seed.namespace('payments');
    seed.serviceAccount('payments', 'api');
    seed.pod('payments', 'worker', { serviceAccount: 'api', finalizers: ['example.com/keep'] });
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'worker' };
    const token = seed.requestToken('payments', 'api', { boundObjectRef });
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    await h.deps.vault.destroy(id);
    await h.click(id, 'approve', 'UINES');
    let accepted = 0;
    for (let second = 0; second < 200; second += 5) {
      const answers = await statusWith(h.connected[0] as Cluster, token);
      if (answers === 'accepted') accepted++;
      if (h.incident(id).proof?.outcome?.verdict === 'done') expect(answers).toBe('refused');
      await h.run(id, 5000);
    }
    expect(accepted).toBeGreaterThan(10);
    expect(h.incident(id).proof?.rounds.map(({ level }) => level)).toContain('object-state');
    expect(h.incident(id).proof?.outcome?.verdict).toBe('done');
  });
});
