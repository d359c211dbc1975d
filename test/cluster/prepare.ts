// Builds the control plane before any test's time runs.
import { controlPlaneExecutable } from '../../sandbox/controlplane/build.ts';

export async function setup(): Promise<void> {
  await controlPlaneExecutable();
}
