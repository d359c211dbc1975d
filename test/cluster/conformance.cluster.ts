// The suites of clusters against real control planes; test/contracts/cluster.test.ts runs the same against the simulated one.
import { type ControlPlaneOptions, startControlPlane } from '../../sandbox/controlplane/launch.ts';
import { conditionalWrites } from '../contracts/cluster/conditional-writes.ts';
import { clusterConformance } from '../contracts/cluster/conformance.ts';
import type { Subject } from '../contracts/cluster/subject.ts';

async function real(options: ControlPlaneOptions = {}): Promise<Subject> {
  const plane = await startControlPlane(options);
  return {
    kubeconfig: plane.adminKubeconfig,
    async compact() {
      await plane.compact();
      // A running server goes on with lists from what it remembers of the past, compacted or not.
      for (const server of plane.servers) {
        await server.stop();
        await server.start();
      }
    },
    clone: async () => real({ name: 'clone', nodes: 0, from: await plane.snapshot() }),
    close: plane.close,
  };
}

clusterConformance('a real control plane', () => real());
conditionalWrites('a real control plane with RSA', () => real({ signing: 'RS256' }));
conditionalWrites('a real control plane with ECDSA', () => real({ signing: 'ES256' }));
