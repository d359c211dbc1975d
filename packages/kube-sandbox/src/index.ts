// What the simulation offers: a cluster to start, and the tokens and objects to talk about it.

export type { KubeObject } from './cluster/apimachinery/objects.ts';
export { ApiError } from './cluster/apimachinery/status.ts';
export type { LoggedRequest, RequestMatcher } from './cluster/apiserver/faults.ts';
export {
  type ClusterOptions,
  type SimulatedCluster,
  type SimulatedServer,
  startCluster,
} from './cluster/cluster.ts';
export {
  boundToken,
  generateSigningKey,
  legacyToken,
  type SigningKey,
  type SigningKeys,
} from './cluster/tokens/tokens.ts';
