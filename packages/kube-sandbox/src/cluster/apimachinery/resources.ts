// The table of kinds that the simulated cluster stores; anything outside it is answered with 501.

export interface Resource {
  group: string;
  version: string;
  plural: string;
  kind: string;
  namespaced: boolean;
  /** Field selectors it supports besides metadata.name and metadata.namespace. */
  fields: string[];
  /** Whether DELETE answers with the object instead of a Status, as the real server does for some kinds. */
  returnsDeleted: boolean;
}

const APPS = 'apps';
const BATCH = 'batch';
const RBAC = 'rbac.authorization.k8s.io';

function namespaced(group: string, plural: string, kind: string, more: Partial<Resource> = {}): Resource {
  return { group, version: 'v1', plural, kind, namespaced: true, fields: [], returnsDeleted: false, ...more };
}

function clusterWide(group: string, plural: string, kind: string, returnsDeleted = false): Resource {
  return namespaced(group, plural, kind, { namespaced: false, returnsDeleted });
}

export const namespaces = clusterWide('', 'namespaces', 'Namespace', true);
export const nodes = clusterWide('', 'nodes', 'Node');
export const serviceAccounts = namespaced('', 'serviceaccounts', 'ServiceAccount', { returnsDeleted: true });
export const secrets = namespaced('', 'secrets', 'Secret', { fields: ['type'] });
export const pods = namespaced('', 'pods', 'Pod', {
  fields: ['spec.serviceAccountName', 'spec.nodeName', 'status.phase'],
  returnsDeleted: true,
});
export const deployments = namespaced(APPS, 'deployments', 'Deployment');
export const replicaSets = namespaced(APPS, 'replicasets', 'ReplicaSet');
export const roles = namespaced(RBAC, 'roles', 'Role');
export const roleBindings = namespaced(RBAC, 'rolebindings', 'RoleBinding');
export const clusterRoles = clusterWide(RBAC, 'clusterroles', 'ClusterRole');
export const clusterRoleBindings = clusterWide(RBAC, 'clusterrolebindings', 'ClusterRoleBinding');
export const endpointSlices = namespaced('discovery.k8s.io', 'endpointslices', 'EndpointSlice');

export const resources: Resource[] = [
  namespaces,
  nodes,
  serviceAccounts,
  secrets,
  pods,
  namespaced('', 'configmaps', 'ConfigMap'),
  namespaced('', 'events', 'Event'),
  deployments,
  replicaSets,
  namespaced('', 'replicationcontrollers', 'ReplicationController'),
  namespaced(APPS, 'statefulsets', 'StatefulSet'),
  namespaced(APPS, 'daemonsets', 'DaemonSet'),
  namespaced(BATCH, 'jobs', 'Job'),
  namespaced(BATCH, 'cronjobs', 'CronJob'),
  namespaced('policy', 'poddisruptionbudgets', 'PodDisruptionBudget'),
  namespaced('autoscaling', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler', { version: 'v2' }),
  namespaced('', 'services', 'Service'),
  clusterWide(
    'admissionregistration.k8s.io',
    'validatingwebhookconfigurations',
    'ValidatingWebhookConfiguration',
  ),
  clusterWide(
    'admissionregistration.k8s.io',
    'mutatingwebhookconfigurations',
    'MutatingWebhookConfiguration',
  ),
  clusterWide('apiregistration.k8s.io', 'apiservices', 'APIService'),
  clusterWide('apiextensions.k8s.io', 'customresourcedefinitions', 'CustomResourceDefinition'),
  roles,
  roleBindings,
  clusterRoles,
  clusterRoleBindings,
  endpointSlices,
];

/** "secrets", "deployments.apps": how Kubernetes names a resource in its messages. */
export function resourceName(resource: Resource): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** "Secret", "Deployment.apps": as in messages about one object's content. */
export function kindName({ group, kind }: Pick<Resource, 'group' | 'kind'>): string {
  return group === '' ? kind : `${kind}.${group}`;
}

export function apiVersion(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

export function findResource(group: string, version: string, plural: string): Resource | undefined {
  return resources.find((each) => each.group === group && each.version === version && each.plural === plural);
}

export function resourceOfKind(group: string, kind: string): Resource | undefined {
  return resources.find((each) => each.group === group && each.kind === kind);
}
