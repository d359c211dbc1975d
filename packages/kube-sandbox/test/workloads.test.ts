// Deployments that replace their Pods: enough of them to see a restart, a rollout and a gap without a ServiceAccount.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startCluster } from '../src/cluster/cluster.ts';
import { Api, eventually, type Json, MERGE_PATCH, TestClock } from './api.ts';

const DEPLOYMENT = '/apis/apps/v1/namespaces/shop/deployments/web';
const PODS = '/api/v1/namespaces/shop/pods';
const ACCOUNTS = '/api/v1/namespaces/shop/serviceaccounts';

let clock: TestClock;
let api: Api;
beforeEach(async () => {
  clock = new TestClock();
  const cluster = await startCluster({
    signing: 'ES256',
    now: clock.now,
    podStartMs: 5_000,
    podStopMs: 2_000,
  });
  api = new Api(cluster);
  cluster.seed.namespace('shop');
  cluster.seed.serviceAccount('shop', 'ci');
});
afterEach(() => api.close());

async function pods(): Promise<Json[]> {
  return (await api.get(PODS)).body.items;
}

function uids(list: Json[]): string[] {
  return list.map(({ metadata }) => metadata.uid).sort();
}

const isReady = ({ status }: Json): boolean =>
  status.conditions?.some(({ type }: Json) => type === 'Ready') ?? false;

const terminating = ({ metadata }: Json): boolean => metadata.deletionTimestamp !== undefined;

async function running(replicas: number, seed: Json = {}): Promise<Json[]> {
  api.cluster.seed.deployment('shop', 'web', { serviceAccount: 'ci', replicas, ...seed });
  await eventually(async () => (await pods()).length).toBe(replicas);
  clock.advance(5);
  await eventually(async () => (await pods()).every(isReady)).toBe(true);
  return pods();
}

const restart = { spec: { template: { metadata: { annotations: { restartedAt: 'now' } } } } };

test('Pods become Ready after their start time, owned by a ReplicaSet, and the Deployment says so', async () => {
  api.cluster.seed.deployment('shop', 'web', { serviceAccount: 'ci', replicas: 2 });
  await eventually(async () => (await pods()).length).toBe(2);
  clock.advance(4);
  expect((await pods()).some(isReady)).toBe(false);
  clock.advance(1);
  const [pod] = await pods();
  expect(pod).toMatchObject({
    spec: { serviceAccountName: 'ci', nodeName: 'node-1' },
    status: { phase: 'Running' },
    metadata: { ownerReferences: [{ kind: 'ReplicaSet', controller: true }] },
  });
  const settled = { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
  await eventually(() => api.cluster.get(DEPLOYMENT)?.status).toMatchObject(settled);
});

test('a changed template replaces every Pod: new ones first, old ones when those are Ready', async () => {
  const before = await running(2);
  await api.patch(DEPLOYMENT, MERGE_PATCH, restart);
  await eventually(async () => (await pods()).length).toBe(4);
  expect((await pods()).filter(terminating)).toHaveLength(0);
  clock.advance(5);
  await eventually(async () => uids((await pods()).filter(terminating))).toEqual(uids(before));
  clock.advance(2);
  const after = await pods();
  expect(after).toHaveLength(2);
  expect(uids(after).filter((uid) => uids(before).includes(uid))).toEqual([]);
  await eventually(() => api.cluster.get(DEPLOYMENT)?.status).toMatchObject({
    observedGeneration: 2,
    replicas: 2,
    updatedReplicas: 2,
    readyReplicas: 2,
  });
});

test('the same template in another order of keys replaces nothing', async () => {
  const [before] = await running(1);
  const { body } = await api.get(DEPLOYMENT);
  const { metadata, spec } = body.spec.template;
  const template = { spec: Object.fromEntries(Object.entries(spec).reverse()), metadata };
  await api.ask('PUT', DEPLOYMENT, { body: { ...body, spec: { ...body.spec, template, replicas: 2 } } });
  await eventually(async () => (await pods()).length).toBe(2);
  expect(uids(await pods())).toContain(before?.metadata.uid);
  expect((await api.get('/apis/apps/v1/namespaces/shop/replicasets')).body.items).toHaveLength(1);
});

test('a paused Deployment waits, and rolls when resumed', async () => {
  await running(1, {});
  await api.patch(DEPLOYMENT, MERGE_PATCH, { spec: { paused: true, ...restart.spec } });
  await eventually(() => api.cluster.get(DEPLOYMENT)?.status).toMatchObject({ observedGeneration: 2 });
  expect(await pods()).toHaveLength(1);
  await api.patch(DEPLOYMENT, MERGE_PATCH, { spec: { paused: null } });
  await eventually(async () => (await pods()).length).toBe(2);
});

test('a deleted Pod is replaced by another one', async () => {
  const [old] = await running(1);
  await api.ask('DELETE', `${PODS}/${old?.metadata.name}`);
  await eventually(async () => (await pods()).length).toBe(2);
  clock.advance(5);
  const [fresh, ...rest] = await pods();
  expect(rest).toEqual([]);
  expect(fresh?.metadata.uid).not.toBe(old?.metadata.uid);
});

test('scaling down removes Pods, deleting the Deployment removes all', async () => {
  await running(3);
  await api.patch(DEPLOYMENT, MERGE_PATCH, { spec: { replicas: 1 } });
  await eventually(async () => (await pods()).filter(terminating).length).toBe(2);
  await api.ask('DELETE', DEPLOYMENT);
  await eventually(async () => (await pods()).filter(terminating).length).toBe(3);
  clock.advance(2);
  expect(await pods()).toEqual([]);
});

test('without its ServiceAccount a Pod is not created; the new account lets it', async () => {
  const [old] = await running(1);
  await api.ask('DELETE', `${ACCOUNTS}/ci`);
  await api.ask('DELETE', `${PODS}/${old?.metadata.name}?gracePeriodSeconds=0`);
  await eventually(() => api.cluster.get(DEPLOYMENT)?.status).toMatchObject({ replicas: 0 });
  expect(await pods()).toEqual([]);
  await api.ask('POST', ACCOUNTS, { body: { metadata: { name: 'ci' } } });
  await eventually(async () => (await pods()).length).toBe(1);
});

test('a Pod that mounts a missing Secret does not start until the Secret is there', async () => {
  api.cluster.seed.deployment('shop', 'web', { serviceAccount: 'ci', secretMounts: ['late'] });
  await eventually(async () => (await pods()).length).toBe(1);
  clock.advance(5);
  expect((await pods()).some(isReady)).toBe(false);
  api.cluster.seed.secret('shop', 'late', {});
  clock.advance(5);
  expect((await pods()).every(isReady)).toBe(true);
});
