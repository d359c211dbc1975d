// Connects the adapter to a simulated cluster through a kubeconfig file, as in production.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClusterOptions, type SimulatedCluster, startCluster } from 'kube-sandbox';
import { type ConnectedCluster, connectCluster } from '../../../src/adapters/kubernetes/cluster.ts';
import type { ClusterConfig } from '../../../src/config/file-schema.ts';

export interface StepTools {
  simulated: SimulatedCluster;
  cluster: ConnectedCluster;
  /** Another connection, with this changed. */
  connect(change?: Partial<ClusterConfig>, options?: { now?: () => number }): ConnectedCluster;
  /** Requests since the last call, as `METHOD /path`. */
  requests(): string[];
  close(): Promise<void>;
}

export async function startBench(options: ClusterOptions = {}): Promise<StepTools> {
  const simulated = await startCluster({ tokenCacheMs: 0, ...options });
  const folder = mkdtempSync(join(tmpdir(), 'tourniquet-'));
  const kubeconfig = join(folder, randomUUID());
  writeFileSync(kubeconfig, simulated.kubeconfig({ namespace: 'kube-system', serviceAccount: 'tourniquet' }));
  const connected: ConnectedCluster[] = [];
  const connect: StepTools['connect'] = (change = {}, how = {}) => {
    const config: ClusterConfig = {
      name: 'prod',
      kubeconfig,
      searchNamespaces: [],
      timeout: 5000,
      ...change,
    };
    const cluster = connectCluster(config, how);
    connected.push(cluster);
    return cluster;
  };
  let seen = 0;
  return {
    simulated,
    cluster: connect(),
    connect,
    requests() {
      const fresh = simulated.requests.slice(seen).map(({ method, path }) => `${method} ${path}`);
      seen = simulated.requests.length;
      return fresh;
    },
    async close() {
      await Promise.all(connected.map((cluster) => cluster.close()));
      await simulated.close();
      rmSync(folder, { recursive: true });
    },
  };
}
