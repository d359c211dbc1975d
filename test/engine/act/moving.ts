// A ServiceAccount with bindings and a workload on a simulated cluster, a worker with or without the rights, and a plan for it.
import { deleteServiceAccount } from '../../../src/actions/delete-service-account.ts';
import { recreateServiceAccount } from '../../../src/actions/recreate-service-account.ts';
import { recreateTokenSecrets } from '../../../src/actions/recreate-token-secrets.ts';
import { replaceServiceAccount } from '../../../src/actions/replace-service-account.ts';
import { unbindRbac } from '../../../src/actions/unbind-rbac.ts';
import type { Action } from '../../../src/contracts/action.ts';
import { resources } from '../../../src/domain/kubernetes/resources.ts';
import { done, notDone } from '../../../src/domain/outcome.ts';
import type { Strategy } from '../../../src/domain/plan/goal.ts';
import { pointer } from '../../../src/domain/text/json-pointer.ts';
import type { KubernetesObject } from '../../../src/ports/cluster.ts';
import { type Harness, type HarnessOptions, startHarness, WORKER } from '../harness.ts';

export const ACCOUNTS = '/api/v1/namespaces/payments/serviceaccounts';
export const SECRETS = '/api/v1/namespaces/payments/secrets';
export const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const API = { kind: 'ServiceAccount', name: 'api', namespace: 'payments' } as const;
const WEB = { ...API, name: 'web' } as const;

interface Workload extends KubernetesObject {
  spec: { template: { spec: { serviceAccountName: string } } };
}

/** Moves the one Deployment, where it is told to; what a roll-out does with all that there are. */
const move: Action = {
  name: 'move',
  phase: 'roll-out',
  reversible: true,
  params: replaceServiceAccount.params,
  permissions: [],
  propose: (proposal) => replaceServiceAccount.propose(proposal),
  describe: (params, cluster) => replaceServiceAccount.describe(params, cluster),
  execute: ({ cluster }, { name }) => point(cluster, String(name)),
  async verify({ cluster }, { name }) {
    const found = await cluster.get<Workload>(deployment);
    return found?.spec.template.spec.serviceAccountName === name ? done('Moved.') : notDone('Not moved.');
  },
  undo: ({ cluster }) => point(cluster, 'api'),
};
const deployment = { resource: resources.deployments, namespace: 'payments', name: 'api' };

async function point(cluster: Parameters<Action['execute']>[0]['cluster'], name: string) {
  await cluster.patch(deployment, [
    { op: 'replace', path: '/spec/template/spec/serviceAccountName', value: name },
  ]);
  return done('Moved.');
}

export interface Given {
  strategy?: Strategy;
  /** Who grants the worker what it needs beyond its roles; nobody without it. */
  granted?: boolean;
  moves?: boolean;
  finalizers?: string[];
  /** Of the ServiceAccount. */
  secrets?: string[];
  wrap?: HarnessOptions['wrap'];
  /** What tools have noted on the token Secret and on the ServiceAccount. */
  noted?: (token: string) => Record<string, string>;
}

/** An incident whose plan is that strategy. */
export async function planned(given: Given = {}): Promise<[Harness, string, string]> {
  const { strategy = 'new-service-account', granted = true, moves = true } = given;
  const own = [replaceServiceAccount, unbindRbac, recreateServiceAccount, recreateTokenSecrets];
  const h = await startHarness({
    actions: moves ? [...own, move, deleteServiceAccount] : [...own, deleteServiceAccount],
    settings: { autoContain: 'off' },
    ...(given.wrap ? { wrap: given.wrap } : {}),
  });
  const { seed } = h.cluster();
  seed.namespace('payments');
  seed.serviceAccount('payments', 'api', {
    labels: { team: 'a', 'app.kubernetes.io/managed-by': 'Helm' },
    annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/api' },
    imagePullSecrets: ['registry'],
    ...(given.secrets ? { secrets: given.secrets } : {}),
    ...(given.finalizers ? { finalizers: given.finalizers } : {}),
  });
  seed.clusterRole('view', [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]);
  seed.role('payments', 'own', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }]);
  seed.clusterRoleBinding('view', { role: { kind: 'ClusterRole', name: 'view' }, subjects: [API] });
  seed.roleBinding('payments', 'own', { role: { kind: 'Role', name: 'own' }, subjects: [API] });
  seed.roleBinding('payments', 'shared', { role: { kind: 'Role', name: 'own' }, subjects: [API, WEB] });
  const token = await seed.tokenSecret('payments', 'api-token', 'api', { labels: { team: 'a' } });
  seed.deployment('payments', 'api', { serviceAccount: 'api', secretMounts: moves ? [] : ['api-token'] });
  for (const [key, value] of Object.entries(given.noted?.(token) ?? {}))
    for (const [resource, name] of [
      [resources.secrets, 'api-token'],
      [resources.serviceAccounts, 'api'],
    ] as const)
      await h.connected[0]?.patch({ resource, namespace: 'payments', name }, [
        { op: 'add', path: `/metadata/annotations/${pointer(key)}`, value },
      ]);
  if (granted) grant(h);
  const { incidentId: id } = await h.leak(token, { goal: { do: 'rotate', strategy } });
  await h.run(id);
  return [h, id, token];
}

/** Everything that RBAC can hand out, to the worker. */
export function grant(h: Harness): void {
  const { seed } = h.cluster();
  const apiGroups = ['rbac.authorization.k8s.io'];
  seed.clusterRole('all-rbac', [{ apiGroups, resources: ['*'], verbs: ['*'] }]);
  const { serviceAccount: name, namespace } = WORKER;
  const subjects = [{ kind: 'ServiceAccount' as const, name, namespace }];
  seed.clusterRoleBinding('all-rbac', { role: { kind: 'ClusterRole', name: 'all-rbac' }, subjects });
}

export const actionsOf = (h: Harness, id: string) => h.incident(id).plan?.steps.map(({ action }) => action);
export const notesOf = (h: Harness, id: string) => (h.incident(id).plan?.notes ?? []).join('\n');

/** Successful writes in earnest, as `POST path`. */
export const writes = (h: Harness) =>
  h
    .cluster()
    .requests.filter(
      ({ method, status, path }) => method !== 'GET' && status < 300 && !/reviews|dryRun=All/.test(path),
    )
    .map(({ method, path }) => `${method} ${path}`);

/** Names of what there is below a path. */
export const namesIn = async (h: Harness, resource: keyof typeof resources, namespace = 'payments') => {
  const query = { resource: resources[resource], ...(resources[resource].namespaced ? { namespace } : {}) };
  const found = (await h.connected[0]?.list(query)) ?? [];
  return found.map(({ metadata }) => metadata.name).toSorted();
};
