// What a test may ask of any real cluster: our own control plane, or one that somebody named explicitly.
import type { Kubectl } from './client/kubectl.ts';

export interface RealCluster {
  name: string;
  servers: readonly { readonly url: string }[];
  caPem: string;
  /** Text of a kubeconfig with every power. */
  adminKubeconfig: string;
  /** Text of a kubeconfig whose user is this ServiceAccount, made if need be, with a token by TokenRequest. */
  kubeconfig(user: { namespace: string; serviceAccount: string; server?: number }): Promise<string>;
  kubectl: Kubectl;
  close(): Promise<void>;
}
