// The conformance suite against a real control plane; test/contracts/cluster.test.ts runs the same against the simulated one.
import { type ControlPlaneOptions, startControlPlane } from '../../sandbox/controlplane/launch.ts';
import { clusterConformance } from '../contracts/cluster/conformance.ts';
import type { Subject } from '../contracts/cluster/subject.ts';

async function real(options: ControlPlaneOptions = {}): Promise<Subject> {
  const plane = await startControlPlane(options);
  return {
    kubeconfig: plane.adminKubeconfig,
    clone: async () => real({ name: 'clone', nodes: 0, from: await plane.snapshot() }),
    close: plane.close,
  };
}

clusterConformance('the real control plane', () => real());
