// Restarts on a real control plane, kind by kind: real controllers make the new Pods, and what only a person can do is left.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RealWorldCluster, realCluster } from '../../sandbox/real-world.ts';
import { WORKER } from '../../sandbox/world.ts';
import { restartWorkloads } from '../../src/actions/restart-workloads.ts';
import { type RollOut, rollOutOf } from '../../src/actions/roll-out/params.ts';
import { type ConnectedCluster, connectCluster } from '../../src/adapters/kubernetes/cluster.ts';
import type { StepTools } from '../../src/contracts/action.ts';
import type { Memory } from '../../src/domain/incident/incident.ts';
import type { PodObject } from '../../src/domain/kubernetes/objects.ts';
import { isReady } from '../../src/domain/kubernetes/objects.ts';
import type { Situation } from '../../src/domain/situation/situation.ts';
import type { TokenIdentity } from '../../src/domain/token/identity.ts';
import { observe } from '../../src/engine/look/observe.ts';
import { stepTools } from '../step-tools.ts';
import { until } from './leak.ts';
import { ACCOUNT, NOWHERE, openSpace, type Space } from './leaks.ts';

let cluster: RealWorldCluster;
let prod: ConnectedCluster;
let directory: string;

beforeAll(async () => {
  cluster = await realCluster('prod', { nodes: 2, podStartMs: 300 })();
  directory = await mkdtemp(join(tmpdir(), 'tourniquet-restart-'));
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFile(kubeconfig, await cluster.kubeconfig(WORKER));
  prod = connectCluster({ name: 'prod', kubeconfig, searchNamespaces: [], timeout: 5000 });
});
afterAll(async () => {
  await prod?.close();
  await cluster?.close();
  if (directory) await rm(directory, { recursive: true, force: true });
});

const identityIn = ({ namespace }: Space): TokenIdentity => ({
  kind: 'every-token',
  clusters: ['prod'],
  namespace,
  serviceAccount: { name: ACCOUNT },
  audiences: [],
  authenticity: 'coordinates',
});

const labels = { app: 'web' };
const selector = { matchLabels: labels };
const containers = [{ name: 'main', image: 'example.test/none' }];
const podSpec = { serviceAccountName: ACCOUNT, containers };
const template = { metadata: { labels }, spec: podSpec };
/** No Node has it, so its Pods wait; on the others Pods of a Job end at once. */
const nowhere = { ...podSpec, restartPolicy: 'Never', nodeSelector: { 'tourniquet.test/none': 'x' } };
const jobSpec = { template: { spec: nowhere } };

const inApps = { apiVersion: 'apps/v1' };
const manifests = {
  deployment: { ...inApps, kind: 'Deployment', spec: { replicas: 3, selector, template } },
  recreate: {
    ...inApps,
    kind: 'Deployment',
    spec: { replicas: 2, selector, template, strategy: { type: 'Recreate' } },
  },
  statefulSet: {
    ...inApps,
    kind: 'StatefulSet',
    spec: { replicas: 3, serviceName: 'web', selector, template },
  },
  partitioned: {
    ...inApps,
    kind: 'StatefulSet',
    spec: {
      replicas: 3,
      serviceName: 'web',
      selector,
      template,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } },
    },
  },
  statefulOnDelete: {
    ...inApps,
    kind: 'StatefulSet',
    spec: { replicas: 2, serviceName: 'web', selector, template, updateStrategy: { type: 'OnDelete' } },
  },
  daemonSet: { ...inApps, kind: 'DaemonSet', spec: { selector, template } },
  daemonOnDelete: {
    ...inApps,
    kind: 'DaemonSet',
    spec: { selector, template, updateStrategy: { type: 'OnDelete' } },
  },
  replicaSet: { ...inApps, kind: 'ReplicaSet', spec: { replicas: 2, selector, template } },
  replicationController: {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    spec: { replicas: 2, selector: labels, template },
  },
  job: { apiVersion: 'batch/v1', kind: 'Job', spec: jobSpec },
  cronJob: {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    spec: { schedule: '0 0 1 1 *', suspend: true, jobTemplate: { spec: jobSpec } },
  },
  pod: { apiVersion: 'v1', kind: 'Pod', spec: podSpec },
} satisfies Record<string, object>;

interface Scene {
  space: Space;
  name: string;
  pods(): Promise<PodObject[]>;
  situation(): Promise<Situation>;
  tools(hook?: () => Promise<void>): StepTools & { memory: Memory };
  restart(params: RollOut, tools: StepTools): ReturnType<typeof restartWorkloads.execute>;
  wait(what: (pods: PodObject[]) => boolean): Promise<unknown>;
}

/** A namespace of its own with this one workload, whose Pods are all there. */
async function place(manifest: object, pods: number, ready = true): Promise<Scene> {
  const space = await openSpace(cluster.plane);
  const { namespace, send, at } = space;
  await cluster.create({ ...manifest, metadata: { name: 'web', namespace, labels } });
  const list = async (): Promise<PodObject[]> =>
    (await send<{ items: PodObject[] }>('GET', at('pods'))).items;
  const wait = (what: (pods: PodObject[]) => boolean) => until(async () => what(await list()));
  await wait((all) => all.length === pods && (!ready || all.every(isReady)));
  return {
    space,
    name: 'web',
    pods: list,
    wait,
    situation: () => observe(prod, identityIn(space), Date.now(), NOWHERE),
    tools: (hook = async () => {}) => ({
      ...stepTools(prod, identityIn(space)),
      async sleep(ms: number) {
        await hook();
        await delay(Math.min(ms, 300));
      },
    }),
    restart: (params, tools) => restartWorkloads.execute(tools, asParams(params)),
  };
}

const asParams = (params: RollOut) => params as unknown as Record<string, unknown>;
const uids = (pods: PodObject[]) => pods.map(({ metadata }) => metadata.uid);
const kept = (before: PodObject[], after: PodObject[]) =>
  uids(after).filter((uid) => uids(before).includes(uid));

type Given = Partial<Parameters<typeof rollOutOf>[1]>;
async function paramsFor({ situation, space }: Scene, given: Given = {}): Promise<RollOut> {
  const { workloads, unread } = await situation();
  expect(unread).toEqual([]);
  return rollOutOf(workloads, { namespace: space.namespace, deadlineSeconds: 60, ...given });
}

const report: string[][] = [];
afterAll(() => console.log(report.map((row) => row.join(' | ')).join('\n')));

describe('all Pods of', () => {
  const cases: [what: string, manifest: { kind: string }, pods: number, consent?: string[]][] = [
    ['a Deployment', manifests.deployment, 3],
    ['a Deployment that is recreated', manifests.recreate, 2],
    ['a StatefulSet', manifests.statefulSet, 3],
    ['a StatefulSet, below and above its partition', manifests.partitioned, 3],
    ['a StatefulSet that waits for deletions', manifests.statefulOnDelete, 2],
    ['a DaemonSet', manifests.daemonSet, 2],
    ['a DaemonSet that waits for deletions', manifests.daemonOnDelete, 2],
    ['a ReplicaSet', manifests.replicaSet, 2],
    ['a ReplicationController', manifests.replicationController, 2],
    ['a bare Pod, with consent', manifests.pod, 1, ['Pod/web']],
  ];
  test.each(cases)('%s are replaced', async (what, manifest, count, consent = []) => {
    const here = await place(manifest, count);
    const params = await paramsFor(here, { consent });
    expect(params.workloads).toMatchObject([{ kind: manifest.kind, name: 'web' }]);
    const before = await here.pods();
    const tools = here.tools();
    const began = Date.now();
    expect(await here.restart(params, tools)).toMatchObject({ verdict: 'done', facts: { pods: count } });
    report.push([what, 'done', `${count} Pods`, `${Date.now() - began} ms`]);
    const after = await here.pods();
    expect(kept(before, after)).toEqual([]);
    expect(after).toHaveLength(count);
    expect(after.every(isReady)).toBe(true);
    expect(await restartWorkloads.verify(tools, asParams(params))).toMatchObject({ verdict: 'done' });
    // Taken up once more, as after a crash: nothing is replaced again.
    expect(await here.restart(params, tools)).toMatchObject({ verdict: 'done' });
    expect(kept(after, await here.pods())).toHaveLength(count);
  });

  test('a Pod that has a token mounted gets another one', async () => {
    const here = await place(manifests.pod, 1);
    const params = await paramsFor(here, { consent: ['Pod/web'] });
    await here.restart(params, here.tools());
    const [pod] = await here.pods();
    const volumes = (pod?.spec?.volumes ?? []) as { name?: string }[];
    expect(volumes.filter(({ name = '' }) => name.startsWith('kube-api-access-'))).toHaveLength(1);
  });
});

describe('left to a person', () => {
  const cases: [
    what: string,
    manifest: object,
    pods: number,
    ready: boolean,
    says: RegExp,
    change?: object,
  ][] = [
    ['a bare Pod', manifests.pod, 1, true, /Pod\/web: It has no owner/],
    ['a Job', manifests.job, 1, false, /Job\/web: 1 old Pod is running to an end/],
    ['a paused Deployment', manifests.deployment, 3, true, /Deployment\/web: It is paused/, { paused: true }],
  ];
  test.each(cases)('%s is named, and not touched', async (what, manifest, count, ready, says, change) => {
    const here = await place(manifest, count, ready);
    if (change) await here.space.send('PATCH', pathOf(here, 'deployments'), { spec: change });
    const params = await paramsFor(here);
    const before = await here.pods();
    const tools = here.tools();
    const outcome = await here.restart(params, tools);
    expect(outcome).toMatchObject({ verdict: 'not-done', detail: expect.stringMatching(says) });
    report.push([what, outcome.verdict, outcome.detail]);
    expect(tools.memory.blocked).toHaveLength(1);
    expect(kept(before, await here.pods())).toHaveLength(count);
  });

  test('a paused Deployment and a Job lose their Pods one by one where a person agreed', async () => {
    const paused = await place(manifests.deployment, 3);
    await paused.space.send('PATCH', pathOf(paused, 'deployments'), { spec: { paused: true } });
    const job = await place(manifests.job, 1, false);
    for (const [here, path] of [
      [paused, 'Deployment/web'],
      [job, 'Job/web'],
    ] as const) {
      const before = await here.pods();
      const params = await paramsFor(here, { consent: [path] });
      expect(await here.restart(params, here.tools())).toMatchObject({ verdict: 'done' });
      expect(kept(before, await here.pods())).toEqual([]);
    }
    const { spec } = await paused.space.send<{ spec: { paused?: boolean } }>(
      'GET',
      pathOf(paused, 'deployments'),
    );
    expect(spec.paused).toBe(true);
  });

  test('a CronJob is nothing to do for, but for its Job that runs', async () => {
    const here = await place(manifests.cronJob, 0);
    const { send, namespace } = here.space;
    const params = await paramsFor(here);
    expect(params.workloads).toMatchObject([{ kind: 'CronJob' }]);
    expect(await here.restart(params, here.tools())).toMatchObject({ verdict: 'done', facts: { pods: 0 } });
    const { metadata } = await send('GET', `/apis/batch/v1/namespaces/${namespace}/cronjobs/web`);
    const owner = {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      name: 'web',
      uid: metadata.uid,
      controller: true,
    };
    await send('POST', `/apis/batch/v1/namespaces/${namespace}/jobs`, {
      metadata: { name: 'web-1', ownerReferences: [owner] },
      spec: jobSpec,
    });
    await here.wait((pods) => pods.length === 1);
    const again = await paramsFor(here);
    expect(again).toEqual(params);
    expect(await here.restart(again, here.tools())).toMatchObject({
      verdict: 'not-done',
      detail: expect.stringContaining('CronJob/web: 1 old Pod'),
    });
  });
});

const pathOf = ({ space: { namespace } }: Scene, plural: string): string =>
  `/apis/apps/v1/namespaces/${namespace}/${plural}/web`;

describe('held up', () => {
  test('a budget that lets no Pod go is waited for, named at the deadline, and passed when it gives way', async () => {
    const here = await place(manifests.statefulOnDelete, 2);
    const { namespace, send } = here.space;
    const budgets = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`;
    await send('POST', budgets, { metadata: { name: 'all' }, spec: { minAvailable: '100%', selector } });
    await until(async () => {
      const { status } = await send<{ status?: { expectedPods?: number } }>('GET', `${budgets}/all`);
      return status?.expectedPods === 2;
    });
    expect((await here.situation()).workloads[0]?.budgets).toEqual([{ name: 'all', allowed: 0 }]);
    const params = await paramsFor(here, { deadlineSeconds: 2 });
    const before = await here.pods();
    const tools = here.tools();
    const stopped = await here.restart(params, tools);
    expect(stopped).toMatchObject({
      verdict: 'not-done',
      detail: expect.stringContaining('A PodDisruptionBudget lets no Pod go now'),
    });
    report.push(['a budget of zero', stopped.verdict, stopped.detail]);
    expect(kept(before, await here.pods())).toHaveLength(2);
    await send('DELETE', `${budgets}/all`);
    expect(await here.restart({ ...params, deadlineSeconds: 60 }, tools)).toMatchObject({ verdict: 'done' });
    expect(kept(before, await here.pods())).toEqual([]);
  });

  test('a budget that lets one Pod go never has two missing', async () => {
    const here = await place(
      { ...manifests.replicaSet, spec: { ...manifests.replicaSet.spec, replicas: 5 } },
      5,
    );
    const { namespace, send } = here.space;
    const budgets = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`;
    await send('POST', budgets, { metadata: { name: 'one' }, spec: { maxUnavailable: 1, selector } });
    await until(async () => {
      const { status } = await send<{ status?: { expectedPods?: number } }>('GET', `${budgets}/one`);
      return status?.expectedPods === 5;
    });
    let least = 5;
    const tools = here.tools(async () => {
      least = Math.min(least, (await here.pods()).filter(isReady).length);
    });
    expect(await here.restart(await paramsFor(here), tools)).toMatchObject({ verdict: 'done' });
    expect(least).toBeGreaterThanOrEqual(4);
  });

  test('an image that is gone stops the wave, and the old Pods go on serving', async () => {
    const here = await place(manifests.deployment, 3);
    const { send, at } = here.space;
    const params = await paramsFor(here, { deadlineSeconds: 4 });
    const before = await here.pods();
    await cordon(true);
    try {
      const stopped = await here.restart(
        params,
        here.tools(() => imagesAreGone(here, before)),
      );
      expect(stopped).toMatchObject({
        verdict: 'not-done',
        detail: expect.stringContaining('ImagePullBackOff'),
      });
      report.push(['an image that is gone', stopped.verdict, stopped.detail]);
      expect((await here.pods()).filter(isReady).length).toBeGreaterThanOrEqual(3);
    } finally {
      await cordon(false);
    }
    expect(at('pods')).toContain(here.space.namespace);
    await send('GET', at('pods'));
  });

  test('a quota without room stops the wave at its deadline', async () => {
    const here = await place(manifests.deployment, 3);
    const { send, at } = here.space;
    await send('POST', at('resourcequotas'), { metadata: { name: 'full' }, spec: { hard: { pods: '3' } } });
    await until(async () => {
      const { status } = await send<{ status?: { used?: { pods?: string } } }>(
        'GET',
        at('resourcequotas', 'full'),
      );
      return status?.used?.pods === '3';
    });
    const before = await here.pods();
    const stopped = await here.restart(await paramsFor(here, { deadlineSeconds: 3 }), here.tools());
    expect(stopped).toMatchObject({
      verdict: 'not-done',
      detail: expect.stringMatching(/0 of 3 Pods are of the new template\. .*exceeded quota: full/),
    });
    report.push(['a quota without room', stopped.verdict, stopped.detail]);
    expect(kept(before, await here.pods())).toHaveLength(3);
  });

  test('a change that somebody takes back is not fought over', async () => {
    const here = await place(manifests.deployment, 3);
    const params = await paramsFor(here, { deadlineSeconds: 10 });
    await cordon(true);
    try {
      let takenBack = false;
      const tools = here.tools(async () => {
        if (takenBack) return;
        takenBack = true;
        await here.space.send('PATCH', pathOf(here, 'deployments'), {
          spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': null } } } },
        });
      });
      const stopped = await here.restart(params, tools);
      expect(stopped).toMatchObject({ verdict: 'not-done', detail: expect.stringContaining('taken back') });
      report.push(['a change that is taken back', stopped.verdict, stopped.detail]);
    } finally {
      await cordon(false);
    }
  });
});

/** Without its controller, which is played here: it removes the Pods that are older than `restartAt`. */
describe('an Argo Rollout', () => {
  const group = 'argoproj.io';
  beforeAll(async () => {
    const names = { plural: 'rollouts', singular: 'rollout', kind: 'Rollout' };
    const schema = {
      openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    };
    await cluster.create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `rollouts.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names,
        versions: [{ name: 'v1alpha1', served: true, storage: true, schema }],
      },
    });
    await until(async () => {
      const { status } = await cluster.plane.call('GET', `/apis/${group}/v1alpha1/rollouts`);
      return status === 200;
    });
  });

  test('is found through its ReplicaSet, and restarted by its own mechanism', async () => {
    const space = await openSpace(cluster.plane);
    const { namespace, send, at } = space;
    const rollouts = `/apis/${group}/v1alpha1/namespaces/${namespace}/rollouts`;
    const hash = { ...labels, 'rollouts-pod-template-hash': 'abc' };
    const withHash = { metadata: { labels: hash }, spec: podSpec };
    const { metadata } = await send('POST', rollouts, {
      apiVersion: `${group}/v1alpha1`,
      kind: 'Rollout',
      metadata: { name: 'web' },
      spec: { replicas: 2, selector, template },
      status: { readyReplicas: 2, observedGeneration: '9', phase: 'Healthy' },
    });
    const owner = {
      apiVersion: `${group}/v1alpha1`,
      kind: 'Rollout',
      name: 'web',
      uid: metadata.uid,
      controller: true,
    };
    await send('POST', `/apis/apps/v1/namespaces/${namespace}/replicasets`, {
      metadata: { name: 'web-abc', labels: hash, ownerReferences: [owner] },
      spec: { replicas: 2, selector: { matchLabels: hash }, template: withHash },
    });
    const pods = async () => (await send<{ items: PodObject[] }>('GET', at('pods'))).items;
    await until(async () => (await pods()).filter(isReady).length === 2);
    const { workloads, unread } = await observe(prod, identityIn(space), Date.now(), NOWHERE);
    expect([workloads, unread]).toMatchObject([[{ kind: 'Rollout', name: 'web', replicas: 2 }], []]);
    const before = await pods();
    const tools = {
      ...stepTools(prod, identityIn(space)),
      async sleep() {
        const { spec } = await send<{ spec: { restartAt?: string } }>('GET', `${rollouts}/web`);
        const [old] = (await pods()).filter((pod) => kept(before, [pod]).length > 0);
        if (spec.restartAt && old) await send('DELETE', at('pods', old.metadata.name));
        await delay(300);
      },
    };
    const params = rollOutOf(workloads, { namespace, deadlineSeconds: 60 });
    expect(await restartWorkloads.execute(tools, asParams(params))).toMatchObject({ verdict: 'done' });
    expect(kept(before, await pods())).toEqual([]);
    report.push(['an Argo Rollout', 'done', '2 Pods']);
  });
});

/** New Pods find no Node, and so no fake kubelet, until it is taken back. */
async function cordon(unschedulable: boolean): Promise<void> {
  for (const node of ['node-0', 'node-1'])
    await cluster.plane.call('PATCH', `/api/v1/nodes/${node}`, {
      contentType: 'application/merge-patch+json',
      body: { spec: { unschedulable } },
    });
}

/** What a kubelet says of Pods whose image it cannot pull. */
async function imagesAreGone(here: Scene, before: PodObject[]): Promise<void> {
  const fresh = (await here.pods()).filter(({ metadata }) => !uids(before).includes(metadata.uid));
  for (const { metadata } of fresh)
    await here.space.send('PATCH', `${here.space.at('pods', metadata.name)}/status`, {
      status: {
        containerStatuses: [
          {
            name: 'main',
            image: 'example.test/none',
            imageID: '',
            ready: false,
            restartCount: 0,
            state: { waiting: { reason: 'ImagePullBackOff' } },
          },
        ],
      },
    });
}
