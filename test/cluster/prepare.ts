// Builds the control plane before any test's time runs; a cluster of yours needs none.
import { controlPlaneExecutable } from '../../sandbox/controlplane/build.ts';
import { externalFromEnvironment } from '../../sandbox/controlplane/external.ts';

export async function setup(): Promise<void> {
  if (externalFromEnvironment() === undefined) await controlPlaneExecutable();
}
