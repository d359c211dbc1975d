// One set of workloads for the rotation benchmark: a namespace whose Deployments all mount one leaked long-lived token.
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { requestToken } from 'kube-sandbox/controlplane';
import { Agent, request } from 'undici';
import type { RealWorldCluster } from '../sandbox/real-world.ts';
import { SERVICE_ACCOUNT_NAME, TOKEN_SECRET_TYPE } from '../src/domain/kubernetes/legacy-token-labels.ts';
import { createReadiness, type PodEvent, type Readiness } from './readiness.ts';

export const SERVICE_ACCOUNT = 'api';
export const OLD_SECRET = 'api-token';
export const REPLICAS = 3;
export const nameOf = (index: number): string => `web-${String(index + 1).padStart(2, '0')}`;
export const tokenSecret = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: TOKEN_SECRET_TYPE,
  metadata: { name, annotations: { [SERVICE_ACCOUNT_NAME]: SERVICE_ACCOUNT } },
});

/** With everything that a Deployment has by default: one more Pod at most, and none fewer. */
const deployment = (name: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: REPLICAS,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        serviceAccountName: SERVICE_ACCOUNT,
        volumes: [{ name: 'token', secret: { secretName: OLD_SECRET } }],
        containers: [
          {
            name: 'main',
            image: 'example.test/web',
            volumeMounts: [{ name: 'token', mountPath: '/var/run/token' }],
          },
        ],
      },
    },
  },
});

/** The namespace is there already. */
export async function seedSet(
  { create }: RealWorldCluster,
  namespace: string,
  workloads: number,
): Promise<void> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: SERVICE_ACCOUNT } };
  const objects = [
    account,
    tokenSecret(OLD_SECRET),
    ...Array.from({ length: workloads }, (_, i) => deployment(nameOf(i))),
  ];
  await create(...objects.map((each) => ({ ...each, metadata: { ...each.metadata, namespace } })));
}

export interface PodWatch extends Readiness {
  untilAllReady(namespace: string, workloads: number): Promise<void>;
  close(): Promise<void>;
}

const PATIENCE_MS = 180_000;

/** On the whole cluster, before anything is seeded. */
export async function watchPods({ plane }: RealWorldCluster): Promise<PodWatch> {
  const user = { namespace: 'tourniquet', serviceAccount: 'bench-watch' };
  const account = `${user.namespace}:${user.serviceAccount}`;
  const token = await requestToken(plane.call, user.namespace, user.serviceAccount);
  const { code, stderr } = await plane.kubectl([
    ...['create', 'clusterrolebinding', 'bench-watch', '--clusterrole=cluster-admin'],
    `--serviceaccount=${account}`,
  ]);
  if (code !== 0) throw new Error(stderr);
  const dispatcher = new Agent({ connect: { ca: plane.caPem }, bodyTimeout: 0 });
  const { body, statusCode } = await request(`${plane.servers[0]?.url}/api/v1/pods?watch=1`, {
    dispatcher,
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
  });
  if (statusCode !== 200) throw new Error(`The watch on Pods was answered ${statusCode}.`);
  const readiness = createReadiness();
  const lines = createInterface(body);
  lines.on('line', (line) => readiness.see(JSON.parse(line) as PodEvent, Date.now()));
  // The end of the benchmark ends the watch, which is no failure.
  lines.on('error', () => undefined);
  return {
    ...readiness,
    async untilAllReady(namespace, workloads) {
      for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await delay(100))
        if (readiness.withReady(namespace, REPLICAS) === workloads) return;
      throw new Error(`The Pods in ${namespace} were not Ready within ${PATIENCE_MS / 1000} s.`);
    },
    close: () => dispatcher.destroy(),
  };
}
