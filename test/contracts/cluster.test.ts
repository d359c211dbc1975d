// The conformance suite against the simulated cluster; test/cluster/conformance.cluster.ts runs the same against a real one.
import { type ClusterOptions, startCluster } from '../../sandbox/cluster/cluster.ts';
import { clusterConformance } from './cluster/conformance.ts';
import type { Subject } from './cluster/subject.ts';

async function simulated(options: ClusterOptions = {}): Promise<Subject> {
  const cluster = await startCluster(options);
  const { keys } = cluster;
  return {
    kubeconfig: cluster.kubeconfig({ namespace: 'kube-system', serviceAccount: 'admin' }),
    compact: cluster.compact,
    clone: () => simulated({ name: 'clone', keys, objects: cluster.objects() }),
    close: cluster.close,
  };
}

clusterConformance('the simulated cluster', () => simulated());
