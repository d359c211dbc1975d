// The kinds of objects that are asked for, by their REST paths.

/** A kind of object by its REST path: `group` is '' for core. */
export interface Resource {
  group: string;
  version: string;
  /** Plural, as in the path: `secrets`. */
  plural: string;
  namespaced: boolean;
}

const core = (plural: string): Resource => ({ group: '', version: 'v1', plural, namespaced: true });
const apps = (plural: string): Resource => ({ group: 'apps', version: 'v1', plural, namespaced: true });
const batch = (plural: string): Resource => ({ group: 'batch', version: 'v1', plural, namespaced: true });
const rbac = (plural: string, namespaced: boolean): Resource => ({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural,
  namespaced,
});

const wide = (group: string, plural: string): Resource => ({
  group,
  version: 'v1',
  plural,
  namespaced: false,
});

export const resources = {
  namespaces: { ...core('namespaces'), namespaced: false },
  serviceAccounts: core('serviceaccounts'),
  secrets: core('secrets'),
  pods: core('pods'),
  nodes: { ...core('nodes'), namespaced: false },
  deployments: apps('deployments'),
  replicaSets: apps('replicasets'),
  statefulSets: apps('statefulsets'),
  daemonSets: apps('daemonsets'),
  replicationControllers: core('replicationcontrollers'),
  jobs: batch('jobs'),
  cronJobs: batch('cronjobs'),
  /** Argo Rollouts; most clusters do not have it. */
  rollouts: { group: 'argoproj.io', version: 'v1alpha1', plural: 'rollouts', namespaced: true },
  autoscalers: {
    group: 'autoscaling',
    version: 'v2',
    plural: 'horizontalpodautoscalers',
    namespaced: true,
  },
  budgets: { group: 'policy', version: 'v1', plural: 'poddisruptionbudgets', namespaced: true },
  services: core('services'),
  events: core('events'),
  /** Whom the API server itself asks. */
  validatingWebhooks: wide('admissionregistration.k8s.io', 'validatingwebhookconfigurations'),
  mutatingWebhooks: wide('admissionregistration.k8s.io', 'mutatingwebhookconfigurations'),
  apiServices: wide('apiregistration.k8s.io', 'apiservices'),
  crds: wide('apiextensions.k8s.io', 'customresourcedefinitions'),
  roles: rbac('roles', true),
  clusterRoles: rbac('clusterroles', false),
  roleBindings: rbac('rolebindings', true),
  clusterRoleBindings: rbac('clusterrolebindings', false),
  /** Created, one answers whether the worker itself may do something; nothing is stored. */
  accessReviews: {
    group: 'authorization.k8s.io',
    version: 'v1',
    plural: 'selfsubjectaccessreviews',
    namespaced: false,
  },
} as const satisfies Record<string, Resource>;

/** Everything known that makes Pods. */
export const workloadResources = {
  Deployment: resources.deployments,
  StatefulSet: resources.statefulSets,
  DaemonSet: resources.daemonSets,
  ReplicaSet: resources.replicaSets,
  ReplicationController: resources.replicationControllers,
  Job: resources.jobs,
  CronJob: resources.cronJobs,
  Rollout: resources.rollouts,
} as const satisfies Record<string, Resource>;
