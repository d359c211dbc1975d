// What the worker may do in a cluster, from one source: the manifests in docs/ and whatever installs it are rendered from here.
import { stringify } from 'yaml';
import { OWNING_KINDS } from './still-there.ts';

/** As actions declare it (contracts/action.ts). */
export interface Permission {
  /** opt-in: in no role by default; a plan that needs it says which rules are missing, for named objects. */
  scope: 'namespace' | 'cluster' | 'opt-in';
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

export type Rule = Omit<Permission, 'scope'>;

const rule = (
  scope: Permission['scope'],
  group: string,
  resources: string[],
  verbs: string[],
): Permission => ({
  scope,
  apiGroups: [group],
  resources,
  verbs,
});

/** What the engine reads to identify a token, to make a plan, to answer people and to prove; see engine/. */
export const readPermissions: Permission[] = [
  // Where does it belong, and what is it called like? A leak may be of any namespace.
  rule('cluster', '', ['namespaces', 'serviceaccounts'], ['get', 'list']),
  // What a token is bound to, and who uses the ServiceAccount.
  rule('cluster', '', ['pods'], ['get', 'list']),
  rule('cluster', '', ['nodes'], ['get']),
  rule('cluster', '', ['replicationcontrollers'], ['list']),
  rule('cluster', 'apps', ['deployments', 'statefulsets', 'daemonsets', 'replicasets'], ['list']),
  rule('cluster', 'batch', ['jobs', 'cronjobs'], ['list']),
  rule('cluster', 'argoproj.io', ['rollouts'], ['list']),
  // What their replacement must respect.
  rule('cluster', 'autoscaling', ['horizontalpodautoscalers'], ['list']),
  rule('cluster', 'policy', ['poddisruptionbudgets'], ['list']),
  // Whether the API server itself asks their Pods, so that a roll-out could stand in its own way.
  rule('cluster', '', ['services'], ['list']),
  rule(
    'cluster',
    'admissionregistration.k8s.io',
    ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'],
    ['list'],
  ),
  rule('cluster', 'apiregistration.k8s.io', ['apiservices'], ['list']),
  rule('cluster', 'apiextensions.k8s.io', ['customresourcedefinitions'], ['list']),
  // What a thief can do with it.
  rule(
    'cluster',
    'rbac.authorization.k8s.io',
    ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'],
    ['list'],
  ),
  // The addresses of all API servers.
  rule('cluster', 'discovery.k8s.io', ['endpointslices'], ['list']),
  // Proof for tokens that were never meant for the API server.
  rule('cluster', 'authentication.k8s.io', ['tokenreviews'], ['create']),
  // Which Secrets hold tokens. By metadata, but RBAC knows no such difference: this is the power to read them.
  rule('namespace', '', ['secrets'], ['get', 'list']),
  // Whether who made one is still there, and would make it again; without it, it is believed to be.
  ...OWNING_KINDS.map(({ group, kinds }) => rule('namespace', group, Object.values(kinds), ['list'])),
];

/** The part of an action that its permissions are read from. */
export interface Permitted {
  permissions: readonly Permission[];
}

export interface WorkerRules {
  cluster: Rule[];
  namespace: Rule[];
}

/** Each permission once: what is granted in the whole cluster is not granted again in a namespace. */
export function workerRules(actions: readonly Permitted[]): WorkerRules {
  const permissions = [...readPermissions, ...actions.flatMap((action) => action.permissions)];
  const everywhere = grants(permissions.filter(({ scope }) => scope === 'cluster'));
  const here = grants(permissions.filter(({ scope }) => scope === 'namespace'));
  return {
    cluster: toRules(everywhere),
    namespace: toRules(new Set([...here].filter((grant) => !everywhere.has(grant)))),
  };
}

/** What no role has by default: whoever may make bindings and bind every role may do everything. */
export const optInRules = (actions: readonly Permitted[]): Rule[] =>
  toRules(grants(actions.flatMap((action) => action.permissions).filter(({ scope }) => scope === 'opt-in')));

/** `group/resource verb`; a resource may hold a slash of its own, a group none. */
export const grants = (permissions: readonly Rule[]): Set<string> =>
  new Set(
    permissions.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource} ${verb}`)),
      ),
    ),
  );

/** One rule for the resources of a group that share their verbs. */
export function toRules(granted: ReadonlySet<string>): Rule[] {
  const verbsOf = Map.groupBy(granted, (grant) => grant.slice(0, grant.indexOf(' ')));
  const alike = Map.groupBy(verbsOf, ([path, all]) => {
    const verbs = all.map((grant) => grant.slice(grant.indexOf(' ') + 1));
    return JSON.stringify([path.slice(0, path.indexOf('/')), verbs]);
  });
  return [...alike].map(([key, members]) => {
    const [group, verbs] = JSON.parse(key) as [string, string[]];
    const resources = members.map(([path]) => path.slice(path.indexOf('/') + 1));
    return { apiGroups: [group], resources, verbs };
  });
}

export interface WorkerAccount {
  namespace: string;
  serviceAccount: string;
  /** Namespaces in which it may act. */
  actIn: readonly string[];
}

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  [field: string]: unknown;
}

const READ = 'tourniquet-worker-read';
const ACT = 'tourniquet-worker-namespace';
const RBAC = 'rbac.authorization.k8s.io';

/** The roles and their bindings, without the account and its namespace. */
export function workerRoles(
  actions: readonly Permitted[],
  { namespace, serviceAccount, actIn }: WorkerAccount,
): Manifest[] {
  const { cluster, namespace: inNamespace } = workerRules(actions);
  const role = (name: string, rules: Rule[]): Manifest => ({
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: { name },
    rules,
  });
  const binding = (kind: string, name: string, where?: string): Manifest => ({
    apiVersion: `${RBAC}/v1`,
    kind,
    metadata: { name, ...(where === undefined ? {} : { namespace: where }) },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace }],
  });
  return [
    role(READ, cluster),
    binding('ClusterRoleBinding', READ),
    role(ACT, inNamespace),
    ...actIn.map((where) => binding('RoleBinding', ACT, where)),
  ];
}

/** What an administrator applies, with the reasons in it. */
export function renderWorkerRbac(actions: readonly Permitted[], account: WorkerAccount): string {
  const { namespace, serviceAccount } = account;
  const [read, bindRead, act, ...bindAct] = workerRoles(actions, account);
  const documents: [string, unknown][] = [
    ['', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }],
    ['', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: serviceAccount, namespace } }],
    [
      '# Reading, in the whole cluster, without any Secret: who uses the ServiceAccount, and what a thief can do with it.\n',
      read,
    ],
    ['', bindRead],
    [
      '# Acting, in the namespaces where a RoleBinding says so. Get, list and patch on Secrets are the power to read them:\n' +
        '# bind this only where Tourniquet is meant to act.\n',
      act,
    ],
    ...bindAct.map((one): [string, unknown] => ['', one]),
  ];
  return (
    documents.map(([comment, document]) => `${comment}${stringify(document)}`).join('---\n') + optIn(actions)
  );
}

/** Named, and given to nobody. */
function optIn(actions: readonly Permitted[]): string {
  const lines = optInRules(actions).map(
    ({ apiGroups, resources, verbs }) =>
      `#   ${verbs.join(', ')} on ${resources.join(', ')} (${apiGroups.join(', ')})\n`,
  );
  if (lines.length === 0) return '';
  return `# Not given here: rotating to a new ServiceAccount, and taking power away, also need
${lines.join('')}# for the roles and bindings of that one ServiceAccount alone. A plan that lacks them says which rules, by name, and where.
`;
}
