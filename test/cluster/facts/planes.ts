// The control planes that the facts are asked of; they run when a test does, not yet when it is named.
import type { ControlPlane } from '../../../packages/kube-sandbox/src/controlplane/launch.ts';

export interface Planes {
  /** Two API servers. */
  readonly rsa: ControlPlane;
  readonly ecdsa: ControlPlane;
}
