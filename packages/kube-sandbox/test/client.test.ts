// The official client talks to the simulation through its kubeconfig as it does to a real cluster.
import {
  AppsV1Api,
  AuthenticationV1Api,
  CoreV1Api,
  DiscoveryV1Api,
  KubeConfig,
  PatchStrategy,
  RbacAuthorizationV1Api,
  setHeaderOptions,
  Watch,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SimulatedCluster, startCluster } from '../src/cluster/cluster.ts';
import { eventually } from './api.ts';

let cluster: SimulatedCluster;
let config: KubeConfig;
let core: CoreV1Api;

beforeAll(async () => {
  cluster = await startCluster({ name: 'prod', signing: 'ES256' });
  config = new KubeConfig();
  config.loadFromString(cluster.kubeconfig({ namespace: 'kube-system', serviceAccount: 'tourniquet' }));
  core = config.makeApiClient(CoreV1Api);
  cluster.seed.namespace('shop');
  cluster.seed.serviceAccount('shop', 'ci', { imagePullSecrets: ['pull'] });
});
afterAll(() => cluster.close());

test('reads, labels and deletes Secrets', async () => {
  const token = await cluster.seed.tokenSecret('shop', 'ci-token', 'ci');
  const secret = await core.readNamespacedSecret({ name: 'ci-token', namespace: 'shop' });
  expect(Buffer.from(secret.data?.token ?? '', 'base64').toString()).toBe(token);
  const patched = await core.patchNamespacedSecret(
    { name: 'ci-token', namespace: 'shop', body: { metadata: { labels: { a: 'b' } } } },
    setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
  );
  expect(patched.metadata?.labels).toEqual({ a: 'b' });
  const uid = secret.metadata?.uid ?? '';
  const wrong = core.deleteNamespacedSecret({
    name: 'ci-token',
    namespace: 'shop',
    body: { preconditions: { uid: 'another' } },
  });
  await expect(wrong).rejects.toMatchObject({ code: 409 });
  await core.deleteNamespacedSecret({
    name: 'ci-token',
    namespace: 'shop',
    body: { preconditions: { uid } },
  });
  await expect(core.readNamespacedSecret({ name: 'ci-token', namespace: 'shop' })).rejects.toMatchObject({
    code: 404,
  });
});

test('creates and replaces objects', async () => {
  const rbac = config.makeApiClient(RbacAuthorizationV1Api);
  const created = await rbac.createNamespacedRoleBinding({
    namespace: 'shop',
    body: {
      metadata: { name: 'ci-edit' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
      subjects: [{ kind: 'ServiceAccount', name: 'ci', namespace: 'shop' }],
    },
  });
  expect(created.metadata?.creationTimestamp).toBeInstanceOf(Date);
  const replaced = await rbac.replaceNamespacedRoleBinding({
    namespace: 'shop',
    name: 'ci-edit',
    body: { ...created, subjects: [] },
  });
  expect(replaced.subjects).toEqual([]);
  const account = await core.readNamespacedServiceAccount({ name: 'ci', namespace: 'shop' });
  expect(account.imagePullSecrets).toEqual([{ name: 'pull' }]);
});

test('requests and reviews tokens', async () => {
  const authentication = config.makeApiClient(AuthenticationV1Api);
  const issued = await core.createNamespacedServiceAccountToken({
    name: 'ci',
    namespace: 'shop',
    body: { spec: { audiences: ['vault'], expirationSeconds: 600 } },
  });
  expect(issued.status?.expirationTimestamp).toBeInstanceOf(Date);
  const review = await authentication.createTokenReview({
    body: { spec: { token: issued.status?.token ?? '', audiences: ['vault'] } },
  });
  expect(review.status).toMatchObject({ authenticated: true, audiences: ['vault'] });
  const self = await authentication.createSelfSubjectReview({ body: {} });
  expect(self.status?.userInfo?.username).toBe('system:serviceaccount:kube-system:tourniquet');
});

test('restarts a Deployment and lists its Pods and the API servers', async () => {
  const apps = config.makeApiClient(AppsV1Api);
  cluster.seed.deployment('shop', 'web', { serviceAccount: 'ci', replicas: 1 });
  const list = async (): Promise<(string | undefined)[]> => {
    const pods = await core.listNamespacedPod({
      namespace: 'shop',
      fieldSelector: 'spec.serviceAccountName=ci',
    });
    return pods.items.map(({ metadata }) => metadata?.uid);
  };
  await eventually(async () => (await list()).length).toBe(1);
  const [before] = await list();
  await apps.patchNamespacedDeployment(
    {
      name: 'web',
      namespace: 'shop',
      body: { spec: { template: { metadata: { annotations: { restarted: 'yes' } } } } },
    },
    setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
  );
  const replaced = async (): Promise<boolean> => {
    const now = await list();
    return now.length === 1 && now[0] !== before;
  };
  await eventually(replaced).toBe(true);
  const discovery = config.makeApiClient(DiscoveryV1Api);
  const slices = await discovery.listNamespacedEndpointSlice({ namespace: 'default' });
  expect(slices.items[0]?.endpoints?.[0]?.addresses).toEqual(['127.0.0.1']);
});

test('watches', async () => {
  const seen: string[] = [];
  const stop = await new Watch(config).watch(
    '/api/v1/namespaces/shop/configmaps',
    {},
    (type, object: { metadata: { name: string } }) => seen.push(`${type} ${object.metadata.name}`),
    () => {},
  );
  await core.createNamespacedConfigMap({ namespace: 'shop', body: { metadata: { name: 'settings' } } });
  await eventually(() => seen).toEqual(['ADDED settings']);
  stop.abort();
});

test('a token that is refused gives code 401', async () => {
  const dead = new KubeConfig();
  dead.loadFromString(cluster.kubeconfig({ namespace: 'shop', serviceAccount: 'short-lived' }));
  await core.deleteNamespacedServiceAccount({ name: 'short-lived', namespace: 'shop' });
  const call = dead.makeApiClient(CoreV1Api).listNamespacedSecret({ namespace: 'shop' });
  await expect(call).rejects.toMatchObject({ code: 401 });
});
