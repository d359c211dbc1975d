// The suites of clusters against real control planes, ours or one that somebody named; test/contracts/cluster.test.ts runs the same simulated.
import {
  type ControlPlaneOptions,
  externalCluster,
  externalFromEnvironment,
  startControlPlane,
} from 'kube-sandbox/controlplane';
import { conditionalWrites } from '../contracts/cluster/conditional-writes.ts';
import { clusterConformance } from '../contracts/cluster/conformance.ts';
import { RUN } from '../contracts/cluster/room.ts';
import type { Subject } from '../contracts/cluster/subject.ts';

async function ours(options: ControlPlaneOptions = {}): Promise<Subject> {
  const plane = await startControlPlane(options);
  return {
    kubeconfig: plane.adminKubeconfig,
    own: {
      async compact() {
        await plane.compact();
        // A running server goes on with lists from what it remembers of the past, compacted or not.
        for (const server of plane.servers) {
          await server.stop();
          await server.start();
        }
      },
      clone: async () => ours({ name: 'clone', nodes: 0, from: await plane.snapshot() }),
    },
    close: plane.close,
  };
}

const external = externalFromEnvironment();

if (external) {
  const theirs = async (): Promise<Subject> => {
    const cluster = await externalCluster(external);
    return {
      kubeconfig: cluster.adminKubeconfig,
      async close() {
        const selector = Object.entries(RUN).map(([name, value]) => `${name}=${value}`);
        await cluster.kubectl(['delete', 'namespaces,nodes', '--selector', selector.join(), '--wait=false']);
        await cluster.close();
      },
    };
  };
  clusterConformance(`the cluster ${external.context}`, theirs, { shared: true });
  conditionalWrites(`the cluster ${external.context}`, theirs, { shared: true });
} else {
  clusterConformance('a real control plane', () => ours());
  conditionalWrites('a real control plane with RSA', () => ours({ signing: 'RS256' }));
  conditionalWrites('a real control plane with ECDSA', () => ours({ signing: 'ES256' }));
}
