// What everything inside one simulated cluster shares: the store, the signing keys, the clock.

import type { SigningKeys } from '../tokens/tokens.ts';
import type { Store } from './store.ts';
import type { Timeline } from './timeline.ts';

/** The only Node with a kubelet: a Pod that a client puts on another one neither starts nor stops there. */
export const NODE_NAME = 'node-1';

export interface World {
  name: string;
  store: Store;
  keys: SigningKeys;
  now: () => number;
  timeline: Timeline;
  caPem: string;
  podStartMs: number;
  podStopMs: number;
}
