// The control planes that the facts are asked of; they run when a test does, not yet when it is named.
import type { ControlPlane } from 'kube-sandbox/controlplane';

export interface Planes {
  /** Two API servers. */
  readonly rsa: ControlPlane;
  readonly ecdsa: ControlPlane;
}
