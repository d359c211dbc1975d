// What every cluster contains before anybody uses it: namespaces, a node, the roles everybody has, its own addresses.

import type { Draft } from './apimachinery/objects.ts';
import {
  clusterRoleBindings,
  clusterRoles,
  endpointSlices,
  namespaces,
  nodes,
  type Resource,
} from './apimachinery/resources.ts';
import { createObject } from './storage/lifecycle.ts';
import { NODE_NAME, type World } from './storage/world.ts';

const MANAGER = 'kube-apiserver';
const GROUP = 'rbac.authorization.k8s.io';

const ROLES = {
  'cluster-admin': [
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
    { verbs: ['*'], nonResourceURLs: ['*'] },
  ],
  'system:basic-user': [
    {
      verbs: ['create'],
      apiGroups: ['authorization.k8s.io'],
      resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
    },
    { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
  ],
};

const GROUPS = { 'cluster-admin': 'system:masters', 'system:basic-user': 'system:authenticated' };

export function bootstrap(world: World): void {
  const create = (resource: Resource, draft: Draft): void => {
    if (world.store.get(resource, undefined, draft.metadata?.name) !== undefined) return;
    createObject(world, resource, undefined, draft, MANAGER);
  };
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    create(namespaces, { metadata: { name } });
  }
  const conditions = [{ type: 'Ready', status: 'True' }];
  create(nodes, { metadata: { name: NODE_NAME }, spec: {}, status: { conditions } });
  for (const [name, rules] of Object.entries(ROLES)) create(clusterRoles, { metadata: { name }, rules });
  for (const [name, group] of Object.entries(GROUPS)) {
    create(clusterRoleBindings, {
      metadata: { name },
      roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name },
      subjects: [{ apiGroup: GROUP, kind: 'Group', name: group }],
    });
  }
}

/** `default/kubernetes` as the API servers publish it; one slice per server, because here the ports differ. */
export function publishAddresses(world: World, ports: number[]): void {
  for (const [index, port] of ports.entries()) {
    const draft = {
      metadata: {
        name: index === 0 ? 'kubernetes' : `kubernetes-${index + 1}`,
        labels: { 'kubernetes.io/service-name': 'kubernetes' },
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
      ports: [{ name: 'https', port, protocol: 'TCP' }],
    };
    createObject(world, endpointSlices, 'default', draft, MANAGER);
  }
}
