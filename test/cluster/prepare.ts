// Builds the control plane before any test's time runs; a cluster of yours needs none.
import { controlPlaneExecutable, externalFromEnvironment } from 'kube-sandbox/controlplane';

export async function setup(): Promise<void> {
  if (externalFromEnvironment() === undefined) await controlPlaneExecutable();
}
