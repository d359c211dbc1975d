// Locks that lapse with their holder.

/** Makes sure that one thing at a time is done by one process at a time. */
export interface Locks {
  /** Undefined: somebody else holds it. Lapses by itself after `ttlMs`, should the holder die. */
  take(name: string, ttlMs: number): Promise<Held | undefined>;
}

export interface Held {
  /** False as soon as it may have lapsed, as after a process was stopped for long; asks nobody. */
  held(): boolean;
  release(): Promise<void>;
}
