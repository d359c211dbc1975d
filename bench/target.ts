// What the benchmark needs of a cluster, simulated or real: tokens to leak in it, and the moment at which each is dead.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SimulatedCluster } from 'kube-sandbox';
import { controlPlaneExecutable, requestToken } from 'kube-sandbox/controlplane';
import type { RealWorldCluster } from '../sandbox/real-world.ts';
import { WORKER } from '../sandbox/world.ts';
import { LAST_USED } from '../src/domain/kubernetes/legacy-token-labels.ts';
import { type Kill, type Kills, watchKills } from './kills.ts';
import { watchRealKills } from './real-kills.ts';

export interface Leak {
  token: string;
  /** Of its Secret. */
  path: string;
}

export interface Target {
  url: string;
  caPem: string;
  kills: Kills;
  /** A legacy token that has been used, in a namespace of its own. */
  seed(): Promise<Leak>;
  /** Of somebody who may patch and delete Secrets. */
  credential(): Promise<string>;
  /** What to run as kubectl, with that credential. */
  kubectl(): Promise<{ command: string[]; close(): Promise<void> }>;
  /** Requests to the cluster so far; 0 where it does not count them. */
  requests(): number;
  /** How many of them came after the first `seen`, and before this kill. */
  requestsBefore(kill: Kill, seen: number): number;
  close(): Promise<void>;
}

const USER = { namespace: 'tourniquet', serviceAccount: 'bench' };
const usedToday = () => ({ [LAST_USED]: new Date().toISOString().slice(0, 10) });

export function simulatedTarget(cluster: SimulatedCluster): Target {
  let seeded = 0;
  cluster.seed.serviceAccount(USER.namespace, USER.serviceAccount);
  return {
    url: cluster.url,
    caPem: cluster.caPem,
    kills: watchKills(cluster),
    async seed() {
      const namespace = `team-${++seeded}`;
      cluster.seed.namespace(namespace);
      cluster.seed.serviceAccount(namespace, 'api');
      const token = await cluster.seed.tokenSecret(namespace, 'api-token', 'api', { labels: usedToday() });
      return { token, path: `/api/v1/namespaces/${namespace}/secrets/api-token` };
    },
    credential: async () =>
      cluster.seed.requestToken(USER.namespace, USER.serviceAccount, { expirationSeconds: 86_400 }),
    kubectl: () => kubectlWith(['kubectl'], cluster.kubeconfig(USER)),
    requests: () => cluster.requests.length,
    requestsBefore: ({ request }, seen) => (request ? cluster.requests.indexOf(request, seen) - seen : 0),
    close: async () => undefined,
  };
}

export async function realTarget(cluster: RealWorldCluster): Promise<Target> {
  const { plane } = cluster;
  const kills = await watchRealKills(plane);
  let seeded = 0;
  await cluster.create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'bench' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [
      { kind: 'ServiceAccount', namespace: USER.namespace, name: USER.serviceAccount },
      // Opting each namespace in, as an administrator does, would only fill the log.
      { kind: 'ServiceAccount', namespace: WORKER.namespace, name: WORKER.serviceAccount },
    ],
  });
  const call = async (method: 'GET' | 'POST', path: string, body?: unknown) => {
    const answer = await plane.call<{ data?: { token?: string } }>(method, path, {
      body,
    });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status}`);
    return answer.body;
  };
  return {
    url: cluster.servers[0]?.url ?? '',
    caPem: cluster.caPem,
    kills,
    async seed() {
      const space = `/api/v1/namespaces/team-${++seeded}`;
      await call('POST', '/api/v1/namespaces', { metadata: { name: `team-${seeded}` } });
      await call('POST', `${space}/serviceaccounts`, { metadata: { name: 'api' } });
      await call('POST', `${space}/secrets`, {
        type: 'kubernetes.io/service-account-token',
        metadata: {
          name: 'api-token',
          labels: usedToday(),
          annotations: { 'kubernetes.io/service-account.name': 'api' },
        },
      });
      const path = `${space}/secrets/api-token`;
      for (;;) {
        const { data } = await call('GET', path);
        if (data?.token) return { token: Buffer.from(data.token, 'base64').toString(), path };
      }
    },
    credential: () => requestToken(plane.call, USER.namespace, USER.serviceAccount),
    kubectl: async () =>
      kubectlWith([await controlPlaneExecutable(), 'kubectl'], await plane.kubeconfig(USER)),
    requests: () => 0,
    requestsBefore: () => 0,
    close: kills.close,
  };
}

export async function kubectlWith(program: string[], kubeconfig: string) {
  const directory = await mkdtemp(join(tmpdir(), 'tourniquet-bench-'));
  await writeFile(join(directory, 'kubeconfig'), kubeconfig);
  return {
    command: [
      ...program,
      `--kubeconfig=${join(directory, 'kubeconfig')}`,
      `--cache-dir=${join(directory, 'cache')}`,
    ],
    close: () => rm(directory, { recursive: true, force: true }),
  };
}
