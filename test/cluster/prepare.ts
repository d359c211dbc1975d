// Builds the control plane before any test's time runs; a cluster of yours needs none.
import { controlPlaneExecutable } from '../../packages/kube-sandbox/src/controlplane/build.ts';
import { externalFromEnvironment } from '../../packages/kube-sandbox/src/controlplane/external.ts';

export async function setup(): Promise<void> {
  if (externalFromEnvironment() === undefined) await controlPlaneExecutable();
}
