// The main job, kind by kind, against simulated clusters on an injected clock.
import { afterEach, describe, expect, it } from 'vitest';
import { INVALID_SINCE } from '../../../src/domain/kubernetes/legacy-token-labels.ts';
import type { Settings } from '../../../src/engine/ground/deps.ts';
import { type Harness, type HarnessOptions, seedLegacy, startHarness, statusWith } from '../harness.ts';

let harness: Harness;
const start = async (options?: HarnessOptions): Promise<Harness> => {
  harness = await startHarness(options);
  return harness;
};
afterEach(() => harness?.close());

const writes = (h: Harness, name = 'prod') =>
  h.cluster(name).requests.filter(({ method }) => ['PATCH', 'DELETE', 'PUT'].includes(method));
const types = (h: Harness, id: string) => h.memory.events(id).map(({ type }) => type);

describe('a legacy token in hand', () => {
  it('is quarantined by the first request to the cluster, before anything is read', async () => {
    const h = await start();
    const token = await seedLegacy(h.cluster());
    await Promise.all(h.connected.map(async (c) => [await c.warm(), await c.self(), await c.servers()]));
    const before = h.cluster().requests.length;
    const { incidentId } = await h.leak(token);
    await h.run(incidentId);
    const [first] = h.cluster().requests.slice(before);
    expect(first).toMatchObject({ method: 'PATCH', path: '/api/v1/namespaces/payments/secrets/api-token' });
    expect(h.cluster().get('/api/v1/namespaces/payments/secrets/api-token')?.metadata.labels).toHaveProperty([
      INVALID_SINCE,
    ]);
  });

  it('is proven refused by every server, twice, then deleted on approval, proven again, closed, re-checked and forgotten', async () => {
    const h = await start({ clusters: { prod: { servers: 3 } } });
    const token = await seedLegacy(h.cluster());
    const { incidentId: id } = await h.leak(token);
    await h.run(id, 20_000);
    expect(h.incident(id)).toMatchObject({
      status: 'awaiting-approval',
      proof: { outcome: { verdict: 'done' } },
    });
    expect(h.incident(id).proof?.rounds.map(({ answers }) => answers.length)).toEqual([3, 3]);
    expect(await h.click(id, 'approve', 'UINES')).toMatchObject({ decided: true });
    await h.run(id, 20_000);
    expect(h.incident(id).status).toBe('resolved');
    expect(h.cluster().get('/api/v1/namespaces/payments/secrets/api-token')).toBeUndefined();
    await h.run(id, 25 * 3_600_000);
    expect(h.incident(id).rechecks.map(({ outcome }) => outcome.verdict)).toEqual(['done', 'done', 'done']);
    expect(h.memory.holds(id)).toBe(false);
    expect(await h.pending(id)).toEqual([]);
    expect(writes(h).filter(({ method }) => method === 'DELETE')).toHaveLength(1);
  });

  it('works on a Secret with labels and on one without', async () => {
    const h = await start();
    const token = await seedLegacy(h.cluster(), { team: 'payments' });
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    expect(h.cluster().get('/api/v1/namespaces/payments/secrets/api-token')?.metadata.labels).toMatchObject({
      team: 'payments',
    });
    expect(h.incident(id).runs[0]?.steps[0]?.outcome?.verdict).toBe('done');
  });

  it('waits out the authenticator cache instead of claiming a proof', async () => {
    const h = await start();
    const token = await seedLegacy(h.cluster());
    const [cluster] = h.connected;
    if (!cluster) throw new Error('no cluster');
    await cluster.warm();
    expect(await statusWith(cluster, token)).toBe('accepted');
    const { incidentId: id } = await h.leak(token);
    await h.run(id, 5000);
    expect(h.incident(id).proof?.rounds[0]?.outcome.verdict).toBe('not-done');
    expect(h.incident(id).proof?.outcome).toBeUndefined();
    await h.run(id, 60_000);
    expect(h.incident(id).proof?.outcome?.verdict).toBe('done');
  });

  it('never touches a healthy token that took the same name', async () => {
    const h = await start({ clusters: { prod: { signing: 'ES256' } } });
    const leaked = await seedLegacy(h.cluster());
    const [cluster] = h.connected;
    const secret = {
      resource: { group: '', version: 'v1', plural: 'secrets', namespaced: true },
      namespace: 'payments',
      name: 'api-token',
    };
    await cluster?.remove(secret, {});
    const healthy = await h.cluster().seed.tokenSecret('payments', 'api-token', 'api');
    expect(healthy).not.toBe(leaked);
    const { incidentId: id } = await h.leak(leaked);
    await h.run(id, 60_000);
    expect(cluster && (await statusWith(cluster, healthy))).toBe('accepted');
    expect(
      h.cluster().get('/api/v1/namespaces/payments/secrets/api-token')?.metadata.labels ?? {},
    ).not.toHaveProperty([INVALID_SINCE]);
  });

  it('is undone by an approver with a reason, is live again, and is planned anew but not contained by policy again', async () => {
    const h = await start();
    const token = await seedLegacy(h.cluster());
    const { incidentId: id } = await h.leak(token);
    await h.run(id, 20_000);
    expect(await h.click(id, 'undo', 'UMAYA', { reason: 'breaks checkout' })).toMatchObject({
      refusal: { code: 'not-allowed' },
    });
    expect(await h.click(id, 'undo', 'UTOMAS', { reason: 'breaks checkout' })).toMatchObject({
      decided: true,
    });
    await h.run(id, 20_000);
    const [cluster] = h.connected;
    expect(cluster && (await statusWith(cluster, token))).toBe('accepted');
    expect(h.incident(id)).toMatchObject({ liveAgain: true, status: 'awaiting-approval' });
    expect(h.incident(id).plan?.steps.map(({ action }) => action)).toEqual([
      'quarantine-token',
      'delete-token-secret',
    ]);
    expect(await h.click(id, 'contain', 'UMAYA')).toMatchObject({ decided: true });
    await h.run(id, 20_000);
    expect(h.incident(id).liveAgain).toBe(false);
    expect(cluster && (await statusWith(cluster, token))).toBe('refused');
  });

  it('that comes back to life under its old name re-opens the incident and names who re-created the Secret', async () => {
    const h = await start();
    const token = await seedLegacy(h.cluster());
    const { incidentId: id } = await h.leak(token);
    await h.run(id, 20_000);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 20_000);
    expect(h.incident(id).status).toBe('resolved');
    expect(await h.cluster().seed.tokenSecret('payments', 'api-token', 'api')).toBe(token);
    await h.run(id, 301_000);
    const { reopened, status } = h.incident(id);
    expect(reopened?.reason).toMatch(/works again.*seed/);
    expect(status).toBe('awaiting-approval');
    expect(h.incident(id).plan?.steps.map(({ action }) => action)).toContain('quarantine-token');
  });
});

describe('an old value that was put back without its type', () => {
  it('is not called dead, and is deleted on approval', async () => {
    const h = await start({ settings: { autoContain: 'off' } });
    const token = await seedLegacy(h.cluster());
    const [cluster] = h.connected;
    const secret = {
      resource: { group: '', version: 'v1', plural: 'secrets', namespaced: true },
      namespace: 'payments',
      name: 'api-token',
    };
    await cluster?.remove(secret, {});
    h.cluster().seed.secret('payments', 'api-token', { token });
    expect(cluster && (await statusWith(cluster, token))).toBe('accepted');
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    expect(h.incident(id).situations[0]?.liveness).toMatchObject({
      alive: 'alive',
      reason: expect.stringContaining('holds the leaked token'),
    });
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 60_000);
    expect(h.incident(id).status).toBe('resolved');
    expect(cluster && (await statusWith(cluster, token))).toBe('refused');
  });
});

describe('where policy does not contain', () => {
  it('a person contains with one click, the reporter included, and somebody else approves', async () => {
    const h = await start({ settings: { autoContain: 'off' } });
    const token = await seedLegacy(h.cluster());
    const { incidentId: id } = await h.leak(token, { reporter: 'UINES' });
    await h.run(id);
    expect(writes(h)).toEqual([]);
    expect(await h.click(id, 'contain', 'UINES')).toMatchObject({ decided: true });
    await h.run(id, 20_000);
    expect(h.incident(id).proof?.outcome?.verdict).toBe('done');
    expect(await h.click(id, 'approve', 'UINES')).toMatchObject({ refusal: { code: 'self-approval' } });
    expect(await h.click(id, 'approve', 'UTOMAS')).toMatchObject({ decided: true });
    await h.run(id, 20_000);
    expect(h.incident(id).status).toBe('resolved');
  });

  it.each([
    ['coordinates alone', {}, 'coordinates'],
    ['a protected namespace', { protectedNamespaces: ['payments'] }, 'token'],
    ['a budget that is used up', { autoContainPerHour: 0 }, 'token'],
  ] as [string, Partial<Settings>, string][])(
    '%s asks a person and says why',
    async (_name, settings, subject) => {
      const h = await start({ settings });
      const token = await seedLegacy(h.cluster());
      const at = { cluster: 'prod', namespace: 'payments', secret: 'api-token' };
      const { incidentId: id } =
        subject === 'token'
          ? await h.leak(token)
          : await h.front.report({ alert: { source: 'report', subject: { kind: 'coordinates', at } } });
      await h.run(id);
      expect(writes(h)).toEqual([]);
      expect(h.incident(id)).toMatchObject({ status: 'awaiting-approval' });
      expect(h.incident(id).autoContainSkipped).toBeTruthy();
    },
  );

  it('the identity of the worker itself is never touched unattended', async () => {
    const h = await start();
    const token = await h.cluster().seed.tokenSecret('tourniquet', 'own-token', 'worker');
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    expect(h.incident(id).autoContainSkipped).toMatch(/Tourniquet itself/);
    expect(h.incident(id).situations[0]?.self).toBe(true);
    expect(writes(h)).toEqual([]);
  });
});

describe('TokenRequest tokens', () => {
  it('bound to a Pod die with that Pod, and its successor lives', async () => {
    const h = await start();
    h.cluster().seed.namespace('payments');
    h.cluster().seed.serviceAccount('payments', 'api');
    const pod = h.cluster().seed.pod('payments', 'api-0', { serviceAccount: 'api' });
    const token = h.cluster().seed.requestToken('payments', 'api', {
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'api-0', uid: pod.metadata.uid },
    });
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    expect(h.incident(id).plan?.steps.map(({ action }) => action)).toEqual(['delete-bound-pod']);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 120_000);
    expect(h.incident(id).status).toBe('resolved');
    expect(h.cluster().get('/api/v1/namespaces/payments/pods/api-0')).toBeUndefined();
  });

  it('bound to a Secret die with it; unbound ones need a new ServiceAccount UID', async () => {
    const h = await start();
    h.cluster().seed.namespace('payments');
    const old = h.cluster().seed.serviceAccount('payments', 'api', { annotations: { team: 'payments' } });
    const secret = h.cluster().seed.secret('payments', 'anchor', { note: 'for revocation' });
    const bound = h.cluster().seed.requestToken('payments', 'api', {
      boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: 'anchor', uid: secret.metadata.uid },
    });
    const unbound = h.cluster().seed.requestToken('payments', 'api');
    for (const [token, action] of [
      [bound, 'delete-token-secret'],
      [unbound, 'recreate-service-account'],
    ] as const) {
      const { incidentId: id } = await h.leak(token);
      await h.run(id);
      expect(h.incident(id).plan?.steps.map((step) => step.action)).toEqual([action]);
      await h.click(id, 'approve', 'UINES');
      await h.run(id, 60_000);
      expect(h.incident(id).status).toBe('resolved');
    }
    const now = h.cluster().get('/api/v1/namespaces/payments/serviceaccounts/api');
    expect(now?.metadata.uid).not.toBe(old.metadata.uid);
    expect(now?.metadata.annotations).toMatchObject({ team: 'payments' });
  });

  it('already dead are proven dead and closed without a plan', async () => {
    const h = await start();
    h.cluster().seed.namespace('payments');
    h.cluster().seed.serviceAccount('payments', 'api');
    const token = h.cluster().seed.requestToken('payments', 'api', {
      boundObjectRef: {
        apiVersion: 'v1',
        kind: 'Pod',
        name: 'api-0',
        uid: h.cluster().seed.pod('payments', 'api-0', { serviceAccount: 'api' }).metadata.uid,
      },
    });
    const [cluster] = h.connected;
    await cluster?.remove(
      {
        resource: { group: '', version: 'v1', plural: 'pods', namespaced: true },
        namespace: 'payments',
        name: 'api-0',
      },
      { gracePeriodSeconds: 0 },
    );
    const { incidentId: id } = await h.leak(token);
    await h.run(id, 60_000);
    expect(h.incident(id)).toMatchObject({
      status: 'resolved',
      plan: { steps: [] },
      closed: { reason: expect.stringContaining('dead already') },
    });
    expect(writes(h)).toHaveLength(1); // the Pod that this test removed
    expect(await h.pending(id)).not.toEqual([]); // the re-checks still run
  });

  it('meant for somebody who verifies offline are not called resolved before they expire', async () => {
    const h = await start();
    h.cluster().seed.namespace('payments');
    h.cluster().seed.serviceAccount('payments', 'api');
    const token = h
      .cluster()
      .seed.requestToken('payments', 'api', { audiences: ['sts.cloud.example'], expirationSeconds: 7200 });
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 60_000);
    // A 401 for a foreign audience proves nothing, so the answer came from TokenReview with the token's own audience.
    expect(h.incident(id).proof?.outcome?.verdict).toBe('done');
    expect(h.cluster().requests.some(({ path }) => path.includes('tokenreviews'))).toBe(true);
    expect(h.incident(id).status).toBe('needs-human');
    await h.run(id, 2 * 3_600_000);
    expect(h.incident(id).status).toBe('expired');
  });
});

describe('which cluster', () => {
  it('clones that share keys and UIDs are all killed and all proven', async () => {
    const h = await start({ clusters: { prod: {} } });
    const token = await seedLegacy(h.cluster());
    const { keys } = h.cluster();
    const objects = h.cluster().objects();
    await h.close();
    const clones = await start({
      clusters: { prod: { keys, objects }, restored: { keys, objects }, other: {} },
    });
    await Promise.all(clones.connected.map((c) => c.warm()));
    const { incidentId: id } = await clones.leak(token);
    await clones.run(id, 20_000);
    expect(clones.incident(id).identity?.clusters).toEqual(['prod', 'restored']);
    for (const name of ['prod', 'restored'])
      expect(
        clones.cluster(name).get('/api/v1/namespaces/payments/secrets/api-token')?.metadata.labels,
      ).toHaveProperty([INVALID_SINCE]);
    expect(new Set(clones.incident(id).proof?.rounds.map(({ cluster }) => cluster))).toEqual(
      new Set(['prod', 'restored']),
    );
    expect(clones.cluster('other').requests.some(({ path }) => path.includes('payments'))).toBe(false);
  });

  it('a token that no configured cluster signed is sent to none of them', async () => {
    const stranger = await startHarness({ clusters: { foreign: {} } });
    const token = await seedLegacy(stranger.cluster('foreign'));
    await stranger.close();
    const h = await start();
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    expect(h.incident(id)).toMatchObject({
      status: 'needs-human',
      unidentified: { reason: expect.stringContaining('no configured cluster') },
    });
    expect(h.cluster().requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('where legacy keys are missing from the JWKS, the ServiceAccount UID identifies and the patch proves', async () => {
    const h = await start({ clusters: { prod: { legacyKeysInJwks: false } } });
    const token = await seedLegacy(h.cluster());
    const { incidentId: id } = await h.leak(token);
    await h.run(id, 20_000);
    expect(h.incident(id).identity).toMatchObject({ authenticity: 'uid-match', clusters: ['prod'] });
    expect(h.incident(id).proof?.outcome?.verdict).toBe('done');
  });

  it('an API server before 1.29 is not claimed to be contained, and deletion is offered', async () => {
    const h = await start({ clusters: { prod: { servers: 2, version: ['1.37.2', '1.28.9'] } } });
    const token = await seedLegacy(h.cluster());
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    expect(h.incident(id).plan?.steps.map(({ action }) => action)).toEqual(['delete-token-secret']);
    expect(h.incident(id).plan?.notes.join(' ')).toMatch(/1\.28/);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 60_000);
    expect(h.incident(id).status).toBe('resolved');
  });
});

describe('repeats', () => {
  it('of the same token join the incident, and one after the end checks again and closes again', async () => {
    const h = await start();
    const token = await seedLegacy(h.cluster());
    const first = await h.leak(token);
    await h.run(first.incidentId, 20_000);
    expect(await h.leak(token)).toEqual({ incidentId: first.incidentId, created: false });
    await h.click(first.incidentId, 'approve', 'UINES');
    await h.run(first.incidentId, 20_000);
    expect(h.incident(first.incidentId).status).toBe('resolved');
    await h.leak(token);
    await h.run(first.incidentId, 20_000);
    expect(h.incident(first.incidentId).status).toBe('resolved');
    expect(types(h, first.incidentId).filter((type) => type === 'closed')).toHaveLength(2);
    expect(h.memory.ids()).toHaveLength(1);
  });

  it('of a false alarm by a scanner are noted and open nothing, and its token is not kept', async () => {
    const h = await start({ settings: { autoContain: 'off' } });
    const token = await seedLegacy(h.cluster());
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    await h.click(id, 'not-a-leak', 'UINES', { reason: 'a test fixture' });
    await h.run(id);
    expect(h.memory.holds(id)).toBe(false);
    await h.leak(token);
    await h.run(id);
    expect(h.incident(id).status).toBe('false-alarm');
    expect(h.memory.holds(id)).toBe(false);
    await h.leak(token, { reporter: 'UMAYA' });
    await h.run(id);
    expect(h.incident(id).status).toBe('awaiting-approval');
  });

  it('of coordinates after the end are a new incident', async () => {
    const h = await start();
    await seedLegacy(h.cluster());
    const finding = {
      alert: {
        source: 'slash',
        reporter: 'UMAYA',
        subject: {
          kind: 'coordinates' as const,
          at: { cluster: 'prod', namespace: 'payments', serviceAccount: 'api' },
        },
      },
    };
    const first = await h.front.report(finding);
    await h.run(first.incidentId);
    expect((await h.front.report(finding)).incidentId).toBe(first.incidentId);
    await h.click(first.incidentId, 'decline', 'UINES', { reason: 'planned differently' });
    const second = await h.front.report(finding);
    expect(second.created).toBe(true);
    expect(second.incidentId).not.toBe(first.incidentId);
  });
});

describe('every token of a ServiceAccount', () => {
  it('quarantines all its legacy Secrets, re-creates it, replaces its Pods, and proves by object state', async () => {
    const h = await start();
    const token = await seedLegacy(h.cluster());
    await h.cluster().seed.tokenSecret('payments', 'api-token-2', 'api');
    h.cluster().seed.deployment('payments', 'checkout', { serviceAccount: 'api', replicas: 2 });
    const at = { cluster: 'prod', namespace: 'payments', serviceAccount: 'api' };
    const { incidentId: id } = await h.front.report({
      alert: { source: 'slash', reporter: 'UMAYA', subject: { kind: 'coordinates', at } },
    });
    await h.run(id);
    expect(h.incident(id).plan?.steps.map(({ action }) => action)).toEqual([
      'quarantine-token',
      'quarantine-token',
      'recreate-service-account',
      'restart-workloads',
    ]);
    expect(h.incident(id).plan?.steps.at(-1)?.kubectl.join(' ')).toContain(
      'rollout restart deployment checkout',
    );
    const before = h.incident(id).situations[0]?.pods.map(({ uid }) => uid) ?? [];
    expect(before).toHaveLength(2);
    await h.click(id, 'contain', 'UMAYA');
    await h.run(id);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 60_000);
    expect(h.incident(id)).toMatchObject({
      status: 'resolved',
      proof: { outcome: { detail: expect.stringContaining('object state') } },
    });
    const after = h.cluster().objects();
    expect(JSON.stringify(after)).not.toContain(before[0]);
    const [cluster] = h.connected;
    expect(cluster && (await statusWith(cluster, token))).toBe('refused');
  });
});

describe('approval', () => {
  it('does not go stale when Pods churn, and does when a workload or the ServiceAccount changes', async () => {
    const h = await start({ settings: { autoContain: 'off' } });
    const token = await seedLegacy(h.cluster());
    h.cluster().seed.deployment('payments', 'checkout', { serviceAccount: 'api', replicas: 2 });
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    const before = h.incident(id).plan;
    const [cluster] = h.connected;
    const pod = h.incident(id).situations[0]?.pods[0];
    await cluster?.remove(
      {
        resource: { group: '', version: 'v1', plural: 'pods', namespaced: true },
        namespace: 'payments',
        name: pod?.name ?? '',
      },
      {},
    );
    await h.run(id, 24 * 3_600_000); // expires and is planned anew
    const after = h.incident(id).plan;
    expect(types(h, id)).toContain('plan-expired');
    expect(after?.hash).toBe(before?.hash);
    h.cluster().seed.deployment('payments', 'refunds', { serviceAccount: 'api' });
    await h.run(id, 24 * 3_600_000);
    expect(h.incident(id).plan?.hash).not.toBe(before?.hash);
    expect(h.incident(id).plan?.containHash).toBe(before?.containHash);
    expect(await h.click(id, 'approve', 'UINES', { hash: before?.hash ?? '' })).toMatchObject({
      refusal: { code: 'plan-changed' },
    });
    expect(await h.click(id, 'contain', 'UINES', { hash: before?.containHash ?? '' })).toMatchObject({
      decided: true,
    });
  });

  it('of fifty people at once makes one decision', async () => {
    const h = await start();
    const token = await seedLegacy(h.cluster());
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => h.click(id, 'approve', i % 2 ? 'UINES' : 'UTOMAS')),
    );
    expect(answers.filter(({ decided }) => decided)).toHaveLength(1);
    await h.run(id, 60_000);
    expect(writes(h).filter(({ method }) => method === 'DELETE')).toHaveLength(1);
  });
});

describe('who uses the token', () => {
  it('includes workloads that have no Pod now, and nothing is unread', async () => {
    const h = await start();
    const token = await seedLegacy(h.cluster());
    const { seed } = h.cluster();
    seed.deployment('payments', 'web', { serviceAccount: 'api', replicas: 2 });
    seed.deployment('payments', 'idle', { secretMounts: ['api-token'], replicas: 0 });
    seed.deployment('payments', 'other', {});
    const { incidentId } = await h.leak(token);
    await h.run(incidentId);
    const [situation] = h.incident(incidentId).situations;
    expect(situation?.workloads).toMatchObject([
      { kind: 'Deployment', name: 'idle', replicas: 0, references: { secrets: ['api-token'] } },
      { kind: 'Deployment', name: 'web', replicas: 2, references: { serviceAccount: true, secrets: [] } },
    ]);
    expect(situation?.unread).toEqual([]);
  });
});
