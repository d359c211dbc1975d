// The suites of clusters against the simulated one; test/cluster/conformance.cluster.ts runs the same against real ones.
import { type ClusterOptions, startCluster } from 'kube-sandbox';
import { conditionalWrites } from './cluster/conditional-writes.ts';
import { clusterConformance } from './cluster/conformance.ts';
import type { Subject } from './cluster/subject.ts';

async function simulated(options: ClusterOptions = {}): Promise<Subject> {
  // Its own tests show that it remembers tokens for ten seconds; here every wait would be as long.
  const cluster = await startCluster({ tokenCacheMs: 0, ...options });
  const { keys } = cluster;
  return {
    kubeconfig: cluster.kubeconfig({ namespace: 'kube-system', serviceAccount: 'admin' }),
    own: {
      compact: cluster.compact,
      clone: () => simulated({ name: 'clone', keys, objects: cluster.objects() }),
    },
    close: cluster.close,
  };
}

clusterConformance('the simulated cluster', () => simulated());
conditionalWrites('a simulated cluster with RSA', () => simulated({ signing: 'RS256' }));
conditionalWrites('a simulated cluster with ECDSA', () => simulated({ signing: 'ES256' }));
