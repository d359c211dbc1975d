// The command lines of the components, as they run without containers, without a network, and faster than in production.
import { join } from 'node:path';
import { SERVICE_NETWORK, SIGNING_KEY } from './files.ts';

type Flags = Record<string, string>;

const written = (flags: Flags): string[] =>
  Object.entries(flags).map(([name, value]) => `--${name}=${value}`);

/** Their own limits, 20 to 50 requests a second, would dominate a mass rollout. */
const UNHURRIED = { 'kube-api-qps': '1000', 'kube-api-burst': '2000' };

export const auditLogName = (server: number): string => `audit-${server}.log`;

export function etcdFlags(directory: string, port: number, peerPort: number): string[] {
  const peer = `http://127.0.0.1:${peerPort}`;
  const client = `http://127.0.0.1:${port}`;
  return written({
    name: 'default',
    'data-dir': join(directory, 'etcd'),
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `default=${peer}`,
    'unsafe-no-fsync': 'true',
    'log-level': 'warn',
  });
}

export interface ApiServerPlace {
  directory: string;
  index: number;
  port: number;
  etcdPort: number;
  auditWebhook: boolean;
}

export function apiServerFlags({ directory, index, port, etcdPort, auditWebhook }: ApiServerPlace): string[] {
  const file = (name: string): string => join(directory, name);
  return written({
    'etcd-servers': `http://127.0.0.1:${etcdPort}`,
    'bind-address': '127.0.0.1',
    'secure-port': String(port),
    // It refuses a loopback address here, and looks for a default route without one. Nothing listens or connects there:
    // these are addresses for documentation (RFC 5737), one for each server as endpoints are told apart by them.
    'advertise-address': `198.51.100.${index + 1}`,
    'service-cluster-ip-range': SERVICE_NETWORK,
    'tls-cert-file': file('serving.crt'),
    'tls-private-key-file': file('serving.key'),
    'client-ca-file': file('ca.crt'),
    'cert-dir': directory,
    'authorization-mode': 'RBAC',
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-account-key-file': file(SIGNING_KEY),
    'service-account-signing-key-file': file(SIGNING_KEY),
    'audit-policy-file': file('audit-policy.json'),
    'audit-log-path': file(auditLogName(index)),
    ...(auditWebhook && {
      'audit-webhook-config-file': file('audit-webhook.kubeconfig'),
      'audit-webhook-batch-max-wait': '200ms',
    }),
  });
}

export function controllerManagerFlags(directory: string): string[] {
  const file = (name: string): string => join(directory, name);
  return written({
    kubeconfig: file('kube-controller-manager.kubeconfig'),
    controllers: '*',
    'use-service-account-credentials': 'true',
    'service-account-private-key-file': file(SIGNING_KEY),
    'root-ca-file': file('ca.crt'),
    'leader-elect': 'false',
    'secure-port': '0',
    // On a busy machine heartbeats come late, and Pods that were called not Ready for it stay so with a fake kubelet.
    'node-monitor-grace-period': '10m',
    ...UNHURRIED,
  });
}

export function schedulerFlags(directory: string): string[] {
  return written({
    kubeconfig: join(directory, 'kube-scheduler.kubeconfig'),
    'leader-elect': 'false',
    'secure-port': '0',
    ...UNHURRIED,
  });
}

/** Nodes with this label have a fake kubelet; a test's own Node without it has none, so Pods deleted there stay. */
export const KWOK_NODE = { 'kube-sandbox.test/kubelet': 'kwok' };

export function kwokFlags(directory: string): string[] {
  const selector = Object.entries(KWOK_NODE).map(([key, value]) => `${key}=${value}`);
  return written({
    kubeconfig: join(directory, 'kwok.kubeconfig'),
    config: join(directory, 'kwok.yaml'),
    'manage-nodes-with-label-selector': selector.join(','),
    // It would listen on every address otherwise.
    'node-port': '0',
  });
}
