// What came of asking which token leaked, and on which clusters.
import type { TokenIdentity } from '../../domain/token/identity.ts';
import type { ClusterView } from '../../ports/cluster.ts';
import type { Secret } from '../../secret.ts';

export type Clusters = ReadonlyMap<string, ClusterView>;

export type Identified =
  | { identity: TokenIdentity /** found by its hash; to be sealed */; found?: Secret }
  | { unidentified: string; near: string[] };
