// Questions about permissions, answered from the RBAC objects in the cluster.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCluster } from '../src/cluster/cluster.ts';
import { Api, type Json, SELF_REVIEW } from './api.ts';

const AUTHORIZATION = '/apis/authorization.k8s.io/v1';
const CI = { kind: 'ServiceAccount', name: 'ci', namespace: 'shop' } as const;

let api: Api;
let ci: string;
beforeAll(async () => {
  const cluster = await startCluster({ signing: 'ES256' });
  api = new Api(cluster);
  const { seed } = cluster;
  seed.namespace('shop');
  seed.namespace('bank');
  seed.serviceAccount('shop', 'ci');
  ci = seed.requestToken('shop', 'ci');
  seed.role('shop', 'deployer', [
    { verbs: ['get', 'patch'], apiGroups: ['apps'], resources: ['deployments'] },
  ]);
  seed.roleBinding('shop', 'deployer', { role: { kind: 'Role', name: 'deployer' }, subjects: [CI] });
  seed.clusterRole('one-secret', [
    { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['config'] },
  ]);
  seed.roleBinding('bank', 'config', { role: { kind: 'ClusterRole', name: 'one-secret' }, subjects: [CI] });
  seed.clusterRole('metrics', [{ verbs: ['get'], nonResourceURLs: ['/metrics*'] }]);
  const group = { kind: 'Group', name: 'system:serviceaccounts:shop' } as const;
  seed.clusterRoleBinding('metrics', { role: { kind: 'ClusterRole', name: 'metrics' }, subjects: [group] });
});
afterAll(() => api.close());

async function ask(kind: string, spec: Json, token = api.token): Promise<Json> {
  const { status, body } = await api.ask('POST', `${AUTHORIZATION}/${kind}`, { token, body: { spec } });
  expect(status).toBe(201);
  return body.status;
}

test.each([
  [true, { namespace: 'shop', verb: 'patch', group: 'apps', resource: 'deployments' }],
  [false, { namespace: 'shop', verb: 'delete', group: 'apps', resource: 'deployments' }],
  [false, { namespace: 'bank', verb: 'patch', group: 'apps', resource: 'deployments' }],
  [false, { namespace: 'shop', verb: 'patch', group: 'apps', resource: 'deployments', subresource: 'scale' }],
  [true, { namespace: 'bank', verb: 'get', resource: 'secrets', name: 'config' }],
  [false, { namespace: 'bank', verb: 'get', resource: 'secrets', name: 'other' }],
  [false, { namespace: 'bank', verb: 'get', resource: 'secrets' }],
])('a SelfSubjectAccessReview answers %s for %j', async (allowed, resourceAttributes) => {
  const status = await ask('selfsubjectaccessreviews', { resourceAttributes }, ci);
  expect(status.allowed).toBe(allowed);
  if (allowed) expect(status.reason).toContain('RBAC: allowed by RoleBinding');
});

test('a SubjectAccessReview asks for somebody else, by user and by group', async () => {
  const resourceAttributes = { namespace: 'shop', verb: 'get', group: 'apps', resource: 'deployments' };
  const user = 'system:serviceaccount:shop:ci';
  expect(await ask('subjectaccessreviews', { user, resourceAttributes })).toMatchObject({ allowed: true });
  expect(await ask('subjectaccessreviews', { user: 'eve', resourceAttributes })).toEqual({ allowed: false });
  const groups = ['system:serviceaccounts:shop'];
  const nonResourceAttributes = { path: '/metrics/cadvisor', verb: 'get' };
  expect(await ask('subjectaccessreviews', { user: 'eve', groups, nonResourceAttributes })).toMatchObject({
    allowed: true,
  });
});

test('a SelfSubjectRulesReview lists the rules of a namespace, groups included', async () => {
  const status = await ask('selfsubjectrulesreviews', { namespace: 'shop' }, ci);
  expect(status.incomplete).toBe(false);
  expect(status.resourceRules).toContainEqual({
    verbs: ['get', 'patch'],
    apiGroups: ['apps'],
    resources: ['deployments'],
  });
  expect(JSON.stringify(status.resourceRules)).not.toContain('config');
  expect(status.nonResourceRules).toEqual([{ verbs: ['get'], nonResourceURLs: ['/metrics*'] }]);
});

test('a SelfSubjectReview tells who the token is', async () => {
  const { body } = await api.ask('POST', SELF_REVIEW, { token: ci, body: {} });
  expect(body.status.userInfo.username).toBe('system:serviceaccount:shop:ci');
});

test('a TokenReview without a token answers 400', async () => {
  const path = '/apis/authentication.k8s.io/v1/tokenreviews';
  expect((await api.ask('POST', path, { body: { spec: {} } })).status).toBe(400);
});
