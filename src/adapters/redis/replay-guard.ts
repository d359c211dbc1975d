// Remembers deliveries that were handled, so that a captured webhook cannot be used a second time.
import type { Store } from './connect.ts';
import { keySpace } from './key-space.ts';

export interface ReplayGuard {
  /** Whether a delivery of this id was handled to its end. */
  seen(id: string): Promise<boolean>;
  remember(id: string, ttlMs: number): Promise<void>;
}

export function createReplayGuard({ store, prefix }: { store: Store; prefix: string }): ReplayGuard {
  const space = keySpace(prefix);
  return {
    seen: async (id) => (await store.run((redis) => redis.exists(space.seen(id)))) === 1,
    async remember(id, ttlMs) {
      await store.run((redis) => redis.set(space.seen(id), '1', 'PX', ttlMs));
    },
  };
}
