// The clusters of one sequence: a cluster of one or two servers, a clone with the same keys and objects, and every kind of token that can leak.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  generateSigningKey,
  type KubeObject,
  legacyToken,
  type SigningKey,
  type SimulatedCluster,
  startCluster,
} from 'kube-sandbox';
import type { Clock } from './product.ts';

/** When every sequence begins. */
export const START = Date.parse('2026-11-24T03:00:00Z');

export const NAMESPACE = 'payments';
export const SECRETS = ['api-token', 'api-token-2', 'refunds-token'] as const;
export const ACCOUNTS = ['api', 'refunds'] as const;
export const POD = 'api-0';
export const CLUSTERS = ['prod', 'restored'] as const;

/** The first three are what their Secrets hold, `stranger` is signed by a key that no cluster knows, `altered` is the first with one wrong character. */
export const TOKENS = [...SECRETS, 'unbound', 'in-pod', 'for-vault', 'stranger', 'altered'] as const;
export type TokenName = (typeof TOKENS)[number];
export type SecretName = (typeof SECRETS)[number];
export type ClusterName = (typeof CLUSTERS)[number];

export interface StageOptions {
  servers: 1 | 2;
  clone: boolean;
  /** Whether the token Secrets have labels of their own: a patch that sets one differs. */
  labels: boolean;
  /** The last server of the cluster is of a version that knows no quarantine. */
  old: boolean;
}

export interface Stage {
  clusters: Map<ClusterName, SimulatedCluster>;
  tokens: Record<TokenName, string>;
  /** As everything was before anything happened. */
  backup: KubeObject[];
  /** Paths, by cluster. */
  kubeconfigs: Map<ClusterName, string>;
  /** Another key for a cluster to sign with; `hard`: what the old one signed is refused from now on. */
  rotate(cluster: ClusterName, hard: boolean): void;
  close(): Promise<void>;
}

const WORKER = { namespace: 'tourniquet', serviceAccount: 'worker' };
const VAULT = 'https://vault.example';
const MONTH_SECONDS = 30 * 86_400;

/** Made once: they take longer than a whole sequence. */
const [own, next, foreign] = [0, 1, 2].map(() => generateSigningKey('RS256')) as [
  SigningKey,
  SigningKey,
  SigningKey,
];

const versions = ({ servers, old }: StageOptions): string[] =>
  Array.from({ length: servers }, (_, index) => (old && index === servers - 1 ? '1.28.9' : '1.37.2'));

interface Mould {
  tokens: Record<TokenName, string>;
  objects: KubeObject[];
}

/** Made once too: signing takes long, and a copy is as good. */
const [labelled, bare] = [true, false].map(async (labels): Promise<Mould> => {
  const keys = { bound: own, legacy: own };
  const cluster = await startCluster({ name: 'mould', now: () => START, sockets: false, keys });
  const tokens = await furnish(cluster, labels);
  const objects = cluster.objects();
  await cluster.close();
  return { tokens, objects };
}) as [Promise<Mould>, Promise<Mould>];

export async function openStage(directory: string, clock: Clock, options: StageOptions): Promise<Stage> {
  const common = { now: clock.now, sockets: false, keys: { bound: own, legacy: own } };
  const mould = await (options.labels ? labelled : bare);
  const { tokens, objects } = mould;
  const prod = await startCluster({
    name: 'prod',
    servers: options.servers,
    version: versions(options),
    objects,
    ...common,
  });
  const clusters = new Map<ClusterName, SimulatedCluster>([['prod', prod]]);
  if (options.clone) clusters.set('restored', await startCluster({ name: 'restored', objects, ...common }));
  const kubeconfigs = new Map<ClusterName, string>();
  const admit = (name: ClusterName, cluster: SimulatedCluster): void => {
    const path = join(directory, name);
    writeFileSync(path, cluster.kubeconfig(WORKER));
    kubeconfigs.set(name, path);
  };
  for (const [name, cluster] of clusters) {
    if (!cluster.get('/api/v1/namespaces/tourniquet')) cluster.seed.namespace('tourniquet');
    admit(name, cluster);
  }
  return {
    clusters,
    tokens,
    backup: objects,
    kubeconfigs,
    rotate(name, hard) {
      const cluster = clusters.get(name);
      if (cluster === undefined) return;
      cluster.sign({ bound: next, legacy: hard ? next : own });
      admit(name, cluster);
    },
    async close() {
      await Promise.all([...clusters.values()].map((cluster) => cluster.close()));
    },
  };
}

async function furnish({ seed }: SimulatedCluster, labels: boolean): Promise<Record<TokenName, string>> {
  seed.namespace(NAMESPACE);
  const api = seed.serviceAccount(NAMESPACE, 'api');
  seed.serviceAccount(NAMESPACE, 'refunds');
  const more = labels ? { labels: { team: 'payments' } } : {};
  const pod = seed.pod(NAMESPACE, POD, { serviceAccount: 'api' });
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: POD, uid: pod.metadata.uid };
  const expirationSeconds = MONTH_SECONDS;
  const first = await seed.tokenSecret(NAMESPACE, 'api-token', 'api', more);
  return {
    'api-token': first,
    'api-token-2': await seed.tokenSecret(NAMESPACE, 'api-token-2', 'api', more),
    'refunds-token': await seed.tokenSecret(NAMESPACE, 'refunds-token', 'refunds', more),
    unbound: seed.requestToken(NAMESPACE, 'api', { expirationSeconds }),
    'in-pod': seed.requestToken(NAMESPACE, 'api', { expirationSeconds, boundObjectRef }),
    'for-vault': seed.requestToken(NAMESPACE, 'api', { expirationSeconds, audiences: [VAULT] }),
    stranger: legacyToken(foreign, api, 'api-token'),
    altered: `${first.slice(0, -20)}${first.at(-20) === 'A' ? 'B' : 'A'}${first.slice(-19)}`,
  };
}

export const ownerOf = (secret: string): (typeof ACCOUNTS)[number] =>
  secret === 'refunds-token' ? 'refunds' : 'api';

/** What an API server is asked about this token: its own audience, and that of the token. */
export const accepted = (cluster: SimulatedCluster, index: number, token: string): boolean => {
  const server = cluster.servers[index];
  return server !== undefined && (server.accepts(token) || server.accepts(token, [VAULT]));
};

/** The values that its Secret holds now, on each cluster. */
export function stored({ clusters }: Stage, secret: string): string[] {
  return [...clusters.values()].flatMap((cluster) => {
    const found = cluster.get(`/api/v1/namespaces/${NAMESPACE}/secrets/${secret}`);
    const { token } = ((found ?? {}) as { data?: { token?: string } }).data ?? {};
    return token === undefined ? [] : [Buffer.from(token, 'base64').toString()];
  });
}
