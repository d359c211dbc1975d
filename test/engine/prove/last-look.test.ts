// Before anything is deleted somebody looks who uses it now: whoever was not told of is named, and nothing is taken from under it.
import { afterEach, describe, expect, it } from 'vitest';
import { deleteServiceAccount } from '../../../src/actions/delete-service-account.ts';
import { deleteTokenSecret } from '../../../src/actions/delete-token-secret.ts';
import { type Resource, resources } from '../../../src/domain/kubernetes/resources.ts';
import type { Goal } from '../../../src/domain/plan/goal.ts';
import type { TokenIdentity } from '../../../src/domain/token/identity.ts';
import { AppError } from '../../../src/errors.ts';
import type { Cluster, KubernetesObject } from '../../../src/ports/cluster.ts';
import { stepTools } from '../../step-tools.ts';
import { type Harness, seedLegacy, startHarness, statusWith } from '../harness.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const SECRET = '/api/v1/namespaces/payments/secrets/api-token';

let harness: Harness | undefined;
afterEach(() => harness?.close());

async function started(
  options: Parameters<typeof startHarness>[0] = {},
): Promise<[Harness, Cluster, string]> {
  const h = await startHarness(options);
  harness = h;
  const token = await seedLegacy(h.cluster());
  const [cluster] = h.connected;
  if (cluster === undefined) throw new Error('no cluster');
  return [h, cluster, token];
}

const actionsOf = (h: Harness, id: string) => h.incident(id).plan?.steps.map(({ action }) => action);
const stoppedBy = (h: Harness, id: string): string => h.incident(id).runs.at(-1)?.stopped ?? '';

/** The old Secret again in the template of a workload that had the new one. */
const putBack = (cluster: Cluster, name: string): Promise<KubernetesObject> =>
  cluster.patch({ resource: resources.deployments, namespace: 'payments', name }, [
    {
      op: 'replace',
      path: '/spec/template/spec/volumes',
      value: [{ name: 'api-token', secret: { secretName: 'api-token' } }],
    },
  ]);

describe('a rotation whose old Secret is deleted a day later', () => {
  async function rotated(version?: string): Promise<[Harness, Cluster, string, string]> {
    const [h, cluster, token] = await started(version ? { clusters: { prod: { version } } } : {});
    h.cluster().seed.deployment('payments', 'web', {
      serviceAccount: 'default',
      secretMounts: ['api-token'],
    });
    const at = { cluster: 'prod', namespace: 'payments', secret: 'api-token' };
    const goal: Goal = { do: 'rotate', strategy: 'new-secret' };
    const { incidentId: id } = await h.front.report({
      alert: { source: 'slash', reporter: 'UMAYA', subject: { kind: 'coordinates', at }, goal },
    });
    await h.run(id);
    return [h, cluster, id, token];
  }

  it('keeps it where GitOps had taken the rotation back, names who uses it, and offers to move that again', async () => {
    const [h, cluster, id] = await rotated();
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 10 * MINUTE);
    await putBack(cluster, 'web');
    await h.run(id, DAY);
    expect(h.memory.events(id).filter(({ type }) => type === 'soaked')).toHaveLength(1);
    expect(h.cluster().get(SECRET)).toBeDefined();
    expect(stoppedBy(h, id)).toMatch(
      /is used by Deployment\/web now\. It was not deleted: point that at another/,
    );
    expect(actionsOf(h, id)).toEqual(['repoint-workloads', 'delete-token-secret']);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 10 * MINUTE);
    await h.nobodyOutside(id);
    await h.run(id, DAY + MINUTE);
    expect(h.cluster().get(SECRET)).toBeUndefined();
    expect(h.incident(id)).toMatchObject({ status: 'resolved' });
  });

  it('keeps it where nothing could be switched off and something uses it at once again', async () => {
    const [h, cluster, id] = await rotated('1.27.0');
    expect(actionsOf(h, id)).toEqual(['replace-token-secret', 'repoint-workloads', 'delete-token-secret']);
    h.cluster().faults.failNext(1, 503, ({ path }) => path.endsWith('/pods'));
    const remove = h.deps.clusters.get('prod');
    if (remove === undefined) throw new Error('no cluster');
    // GitOps is as quick as the step after the roll-out.
    h.deps.clusters = new Map([
      [
        'prod',
        {
          ...remove,
          get: async (ref, options) => {
            const step = h
              .incident(id)
              .runs.at(-1)
              ?.steps.find(({ outcome }) => outcome === undefined);
            if (step?.step.action === 'delete-token-secret' && ref.name === 'api-token')
              await putBack(cluster, 'web');
            return await remove.get(ref, options);
          },
        } satisfies Cluster,
      ],
    ]);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 10 * MINUTE);
    expect(h.cluster().get(SECRET)).toBeDefined();
    expect(stoppedBy(h, id)).toContain('Deployment/web');
  });
});

describe('a leaked token that is killed', () => {
  it('goes from under whoever the plan named, and from nobody else', async () => {
    const [h, cluster, token] = await started();
    h.cluster().seed.deployment('payments', 'web', {
      serviceAccount: 'default',
      secretMounts: ['api-token'],
    });
    const { incidentId: id } = await h.leak(token);
    await h.run(id, MINUTE);
    const [step] = h.incident(id).plan?.steps ?? [];
    expect(step).toMatchObject({
      action: 'delete-token-secret',
      params: { usedBy: ['Deployment/web'] },
      breaks: 'The token in it is gone for good; Deployment/web cannot start again without it.',
    });
    h.cluster().seed.deployment('payments', 'late', { serviceAccount: 'default', envSecret: 'api-token' });
    await h.click(id, 'approve', 'UINES');
    await h.run(id, MINUTE);
    expect(stoppedBy(h, id)).toMatch(/is used by Deployment\/late now/);
    expect(h.cluster().get(SECRET)).toBeDefined();
    expect(await statusWith(cluster, token)).toBe('refused');
    await h.click(id, 'approve', 'UINES');
    await h.run(id, MINUTE);
    expect(h.cluster().get(SECRET)).toBeUndefined();
  });

  it('is killed without waiting for Pods that are ending, which it meets all the same', async () => {
    const [h, cluster, token] = await started({
      clusters: { prod: { version: '1.27.0', podStopMs: 600_000 } },
      settings: { autoContain: 'off' },
    });
    h.cluster().seed.pod('payments', 'leaving', {
      secretMounts: ['api-token'],
      terminationGracePeriodSeconds: 600,
    });
    await h.deps.sleep(1000, new AbortController().signal);
    await cluster.list({ resource: resources.pods, namespace: 'payments' });
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    await cluster.remove({ resource: resources.pods, namespace: 'payments', name: 'leaving' }, {});
    const from = h.now();
    await h.click(id, 'approve', 'UINES');
    await h.run(id);
    expect(h.now()).toBe(from);
    expect(h.cluster().get(SECRET)).toBeUndefined();
  });

  it('is killed though it cannot be seen who uses it, where only the deletion kills', async () => {
    const [h, cluster, token] = await started({
      clusters: { prod: { version: '1.27.0' } },
      settings: { autoContain: 'off' },
      wrap: (real) => ({
        ...real,
        list: (query) =>
          query.resource === resources.cronJobs
            ? Promise.reject(new AppError('forbidden', 'may not list cronjobs'))
            : real.list(query),
      }),
    });
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    expect(h.incident(id).situations[0]?.unread.join()).toContain('cronjobs');
    await h.click(id, 'approve', 'UINES');
    await h.run(id, MINUTE);
    expect(await statusWith(cluster, token)).toBe('refused');
    expect(h.cluster().get(SECRET)).toBeUndefined();
  });

  it('is not deleted blindly where it is switched off already', async () => {
    const [h, , token] = await started({
      wrap: (real) => ({
        ...real,
        list: (query) =>
          query.resource === resources.cronJobs
            ? Promise.reject(new AppError('forbidden', 'may not list cronjobs'))
            : real.list(query),
      }),
    });
    const { incidentId: id } = await h.leak(token);
    await h.run(id, MINUTE);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, MINUTE);
    expect(stoppedBy(h, id)).toContain('may not list cronjobs');
    expect(h.cluster().get(SECRET)).toBeDefined();
  });
});

const identity: TokenIdentity = {
  kind: 'legacy',
  clusters: ['prod'],
  namespace: 'payments',
  serviceAccount: { name: 'api' },
  boundTo: { kind: 'Secret', name: 'api-token' },
  audiences: [],
  authenticity: 'signature',
};

const container = { name: 'main', image: 'example.test/none' };
const labels = { app: 'x' };
const template = (spec: object) => ({ metadata: { labels }, spec: { containers: [container], ...spec } });
const byVolume = { volumes: [{ name: 't', secret: { secretName: 'api-token' } }] };
const deployment = (spec: object, more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'x' },
  spec: { replicas: 0, selector: { matchLabels: labels }, template: template(spec), ...more },
});

it('a Secret that is adopted while somebody looks who uses it is looked at again, and stays', async () => {
  let looks = 0;
  const [h, cluster] = await started({
    settings: { autoContain: 'off' },
    wrap: (real) => ({
      ...real,
      async remove(ref, options) {
        looks += 1;
        // As quick as a controller can be.
        if (looks === 1)
          await real.patch({ resource: resources.secrets, namespace: 'payments', name: 'api-token' }, [
            {
              op: 'add',
              path: '/metadata/ownerReferences',
              value: [
                { apiVersion: 'bitnami.com/v1alpha1', kind: 'SealedSecret', name: 'api-token', uid: 'o' },
              ],
            },
          ]);
        await real.remove(ref, options);
      },
    }),
  });
  const at = { cluster: 'prod', namespace: 'payments', secret: 'api-token' };
  const { incidentId: id } = await h.front.report({
    alert: { source: 'slash', reporter: 'UMAYA', subject: { kind: 'coordinates', at } },
  });
  await h.run(id);
  await h.click(id, 'approve', 'UINES');
  await h.run(id, MINUTE);
  expect(looks).toBe(1);
  expect(stoppedBy(h, id)).toContain('Sealed Secrets (SealedSecret api-token)');
  expect(
    (await cluster.get({ resource: resources.secrets, namespace: 'payments', name: 'api-token' }))?.metadata,
  ).toMatchObject({ ownerReferences: [{ kind: 'SealedSecret' }] });
});

describe('among those who use a Secret', () => {
  it.each<[string, Resource, object, string]>([
    ['one that is scaled to zero', resources.deployments, deployment(byVolume), 'Deployment/x'],
    ['one that is paused', resources.deployments, deployment(byVolume, { paused: true }), 'Deployment/x'],
    [
      'one that reads it as an environment variable',
      resources.deployments,
      deployment({
        containers: [
          {
            ...container,
            env: [{ name: 'T', valueFrom: { secretKeyRef: { name: 'api-token', key: 'token' } } }],
          },
        ],
      }),
      'Deployment/x',
    ],
    [
      'one that reads all of it into its environment, before its containers start',
      resources.deployments,
      deployment({
        initContainers: [{ ...container, name: 'i', envFrom: [{ secretRef: { name: 'api-token' } }] }],
      }),
      'Deployment/x',
    ],
    [
      'one that projects it among others',
      resources.deployments,
      deployment({ volumes: [{ name: 't', projected: { sources: [{ secret: { name: 'api-token' } }] } }] }),
      'Deployment/x',
    ],
    [
      'one that pulls its images with it',
      resources.deployments,
      deployment({ imagePullSecrets: [{ name: 'api-token' }] }),
      'Deployment/x',
    ],
    [
      'a CronJob that is suspended',
      resources.cronJobs,
      {
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        metadata: { name: 'x' },
        spec: {
          schedule: '0 0 1 1 *',
          suspend: true,
          jobTemplate: { spec: { template: template(byVolume) } },
        },
      },
      'CronJob/x',
    ],
    [
      'a bare Pod',
      resources.pods,
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'x' },
        spec: { containers: [container], ...byVolume },
      },
      'Pod/x',
    ],
  ])('is %s', async (_, resource, body, path) => {
    const [h, cluster] = await started();
    await cluster.create({ resource, namespace: 'payments' }, body);
    const uid = h.cluster().get(SECRET)?.metadata.uid ?? '';
    const params = { namespace: 'payments', secret: 'api-token', uid, holds: 'legacy' };
    const outcome = await deleteTokenSecret.execute(stepTools(cluster, identity), params);
    expect(outcome).toMatchObject({ verdict: 'not-done', facts: { untouched: true } });
    expect(outcome.detail).toContain(path);
    expect(h.cluster().get(SECRET)).toBeDefined();
  });

  it('is a Pod that is ending, which is waited for', async () => {
    const [h, cluster] = await started({ clusters: { prod: { podStopMs: 20_000 } } });
    h.cluster().seed.pod('payments', 'leaving', {
      secretMounts: ['api-token'],
      terminationGracePeriodSeconds: 30,
    });
    await h.deps.sleep(1000, new AbortController().signal);
    await cluster.list({ resource: resources.pods, namespace: 'payments' });
    await cluster.remove({ resource: resources.pods, namespace: 'payments', name: 'leaving' }, {});
    const uid = h.cluster().get(SECRET)?.metadata.uid ?? '';
    const params = { namespace: 'payments', secret: 'api-token', uid, holds: 'legacy' };
    const { now } = h;
    const from = now();
    const tools = {
      ...stepTools(cluster, identity),
      now,
      sleep: (ms: number) => h.deps.sleep(ms, new AbortController().signal),
    };
    expect(await deleteTokenSecret.execute(tools, params)).toMatchObject({ verdict: 'done' });
    expect(now() - from).toBeGreaterThanOrEqual(20_000);
    expect(now() - from).toBeLessThan(60_000);
  });

  it('is a Pod that does not end, which is not waited for without end', async () => {
    const [h, cluster] = await started();
    h.cluster().seed.pod('payments', 'stuck', {
      secretMounts: ['api-token'],
      finalizers: ['example.test/hold'],
    });
    await cluster.remove({ resource: resources.pods, namespace: 'payments', name: 'stuck' }, {});
    const uid = h.cluster().get(SECRET)?.metadata.uid ?? '';
    const params = { namespace: 'payments', secret: 'api-token', uid, holds: 'legacy' };
    const { now } = h;
    const tools = {
      ...stepTools(cluster, identity),
      now,
      sleep: (ms: number) => h.deps.sleep(ms, new AbortController().signal),
    };
    expect((await deleteTokenSecret.execute(tools, params)).detail).toContain('Pod/stuck');
  });
});

it('a ServiceAccount stays while a workload reads a token Secret of it that was made after the plan', async () => {
  const [h, cluster] = await started();
  const account = h.cluster().get('/api/v1/namespaces/payments/serviceaccounts/api')?.metadata.uid ?? '';
  await h.cluster().seed.tokenSecret('payments', 'api-late', 'api');
  h.cluster().seed.deployment('payments', 'ci', { serviceAccount: 'default', envSecret: 'api-late' });
  const params = { namespace: 'payments', name: 'api', uid: account, secrets: ['api-token'] };
  const outcome = await deleteServiceAccount.execute(stepTools(cluster, identity), params);
  expect(outcome).toMatchObject({ verdict: 'not-done', facts: { untouched: true } });
  expect(outcome.detail).toContain('Deployment/ci');
  expect(h.cluster().get('/api/v1/namespaces/payments/serviceaccounts/api')?.metadata.uid).toBe(account);
});
