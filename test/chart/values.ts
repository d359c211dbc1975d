// Values as people would write them: the smallest that install, and one for each thing that the chart can do.
import type { Values } from './helm.ts';

const slack = { channel: 'C012ABCDEF' };
const people = { responders: ['U012ABCDEF'], approvers: ['U034GHIJKL', 'U056MNOPQR'] };

export const smallest: Values = { config: { slack, people } };

export const bundled: Values = {
  ...smallest,
  redis: { bundled: true, storageClassName: 'by-hand' },
  rbac: { actIn: ['payments', 'ci'] },
  sources: ['report', 'gitguardian'],
};

const prometheus = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }];

/** Kinds of the Prometheus Operator, which the control plane of the tests does not know. */
export const monitored: Values = {
  ...bundled,
  metrics: {
    from: prometheus,
    serviceMonitor: { enabled: true, interval: '15s', labels: { release: 'prometheus' } },
    prometheusRule: { enabled: true, labels: { release: 'prometheus' } },
    dashboard: { enabled: true },
  },
  tracing: { endpoint: 'http://collector.monitoring:4318', headersInSecret: true },
};

export const fromStore: Values = {
  ...smallest,
  existingSecret: 'from-store',
  externalSecret: {
    enabled: true,
    store: { kind: 'SecretStore', name: 'vault' },
    key: 'teams/security/tourniquet',
    refreshInterval: '10m',
  },
};

export const handingOut: Values = {
  ...smallest,
  rbac: {
    actIn: ['payments', 'ci'],
    bind: { clusterRoles: ['view', 'system:node'], roles: ['own'], clusterWide: true },
  },
};

const everything: Values = {
  ...bundled,
  config: {
    slack,
    people,
    clusters: [
      { name: 'this' },
      { name: 'prod', kubeconfig: '/etc/tourniquet/kubeconfigs/prod', context: 'prod' },
    ],
    http: { port: 9090, healthPort: 9091 },
    escalation: { url: 'https://pager.example/calls' },
    proof: { recheckAfter: ['5m', '1h'] },
  },
  policy: { rules: [{ name: 'production', match: { cluster: ['prod'] }, do: { any: { approvals: 2 } } }] },
  kubeconfigSecret: 'tourniquet-kubeconfigs',
  imagePullSecrets: [{ name: 'registry' }],
  bot: {
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'spot', operator: 'Exists' }],
    affinity: { podAntiAffinity: {} },
  },
  worker: { replicas: 1 },
  metrics: { from: prometheus, dashboard: { enabled: true, labels: { grafana: 'sidecar' } } },
  tracing: { endpoint: 'http://collector.monitoring:4318' },
  networkPolicy: {
    botFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress' } } }],
  },
  ingress: {
    enabled: true,
    host: 'tourniquet.example',
    className: 'nginx',
    tlsSecret: 'tourniquet-tls',
    annotations: { 'example.com/a': 'b' },
  },
};

const remoteOnly: Values = {
  config: { slack, people, clusters: [{ name: 'prod', kubeconfig: '/etc/tourniquet/kubeconfigs/prod' }] },
  kubeconfigSecret: 'tourniquet-kubeconfigs',
  rbac: { create: false },
  networkPolicy: { enabled: false },
  podDisruptionBudget: { enabled: false },
};

export const matrix: [string, Values][] = [
  ['the smallest', smallest],
  ['a bundled Redis', bundled],
  ['everything', everything],
  ['remote clusters only', remoteOnly],
  ['acting everywhere', { ...smallest, rbac: { actEverywhere: true, bind: { clusterRoles: ['view'] } } }],
  ['secrets from a store', fromStore],
  ['the power to hand out power', handingOut],
];
