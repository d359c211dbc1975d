// The small company of the demo on a real control plane, and the ways in which its tokens leak there.
import { setTimeout as delay } from 'node:timers/promises';
import type { Call } from 'kube-sandbox/controlplane';
import type { LeakKind } from './harbour.ts';
import type { RealWorldCluster } from './real-world.ts';

/** Namespaces in which the worker may act. */
export const ACT_IN = ['payments', 'ci'];

const RBAC = 'rbac.authorization.k8s.io';
const PATIENCE_MS = 30_000;
const LOOK_AGAIN_MS = 50;

const object = (
  apiVersion: string,
  kind: string,
  namespace: string | undefined,
  name: string,
  rest = {},
) => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  ...rest,
});

const binding = (kind: string, namespace: string | undefined, role: string, subject: [string, string]) =>
  object(`${RBAC}/v1`, kind, namespace, `${subject[1]}-${role}`, {
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', namespace: subject[0], name: subject[1] }],
  });

const podSpec = {
  serviceAccountName: 'checkout',
  containers: [{ name: 'main', image: 'example.test/checkout' }],
};

const deployment = (name: string, replicas: number) =>
  object('apps/v1', 'Deployment', 'payments', name, {
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: podSpec },
    },
  });

export async function seedRealHarbour({ create }: RealWorldCluster): Promise<void> {
  await create(
    object(`${RBAC}/v1`, 'ClusterRole', undefined, 'secret-reader', {
      rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] }],
    }),
    object(`${RBAC}/v1`, 'ClusterRole', undefined, 'deployer', {
      rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'patch', 'update'] }],
    }),
    object('v1', 'ServiceAccount', 'payments', 'checkout'),
    object('v1', 'ServiceAccount', 'ci', 'release-robot'),
    binding('ClusterRoleBinding', undefined, 'secret-reader', ['payments', 'checkout']),
    binding('RoleBinding', 'payments', 'deployer', ['ci', 'release-robot']),
    deployment('checkout', 3),
    deployment('refunds', 2),
  );
}

/** A token as a thief would find it, and where; a new one each time. */
export async function leakRealToken(
  { plane: { call }, create }: RealWorldCluster,
  kind: LeakKind,
): Promise<{ token: string; where: string }> {
  const suffix = Date.now().toString(36);
  if (kind === 'unbound') {
    const token = await requestToken(call, 'ci', 'release-robot', {});
    return { token, where: 'a build log of the release pipeline' };
  }
  if (kind === 'pod') {
    const name = `checkout-debug-${suffix}`;
    await create(object('v1', 'Pod', 'payments', name, { spec: podSpec }));
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name };
    return {
      token: await requestToken(call, 'payments', 'checkout', { boundObjectRef }),
      where: 'a crash dump on a public bucket',
    };
  }
  const name = `checkout-token-${suffix}`;
  const annotations = { 'kubernetes.io/service-account.name': 'checkout' };
  await create({
    ...object('v1', 'Secret', 'payments', name, { type: 'kubernetes.io/service-account-token' }),
    metadata: { namespace: 'payments', name, annotations },
  });
  return { token: await storedToken(call, name), where: 'a kubeconfig in a public gist' };
}

async function requestToken(call: Call, namespace: string, account: string, spec: object): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
  const { status, body } = await call<{ status?: { token?: string } }>('POST', path, { body: { spec } });
  const token = body.status?.token;
  if (token === undefined) throw new Error(`TokenRequest for ${namespace}/${account} answered ${status}.`);
  return token;
}

/** A controller puts it into the Secret a moment later. */
async function storedToken(call: Call, secret: string): Promise<string> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await delay(LOOK_AGAIN_MS)) {
    const { body } = await call<{ data?: { token?: string } }>(
      'GET',
      `/api/v1/namespaces/payments/secrets/${secret}`,
    );
    if (body.data?.token) return Buffer.from(body.data.token, 'base64').toString();
  }
  throw new Error(`No controller put a token into Secret payments/${secret}.`);
}
