// What the simulation offers: a cluster to start, and the tokens and objects to talk about it.
export {
  type ClusterOptions,
  type SimulatedCluster,
  type SimulatedServer,
  startCluster,
} from './cluster/cluster.ts';
export type { LoggedRequest, RequestMatcher } from './cluster/faults.ts';
export type { KubeObject } from './cluster/objects.ts';
export { ApiError } from './cluster/status.ts';
export {
  boundToken,
  generateSigningKey,
  legacyToken,
  type SigningKey,
  type SigningKeys,
} from './cluster/tokens.ts';
