// Remembers deliveries that were handled, so that a captured webhook cannot be used a second time.
import { createHash } from 'node:crypto';
import { scrub } from '../../domain/scrub.ts';
import type { Store } from './connect.ts';
import { keySpace } from './key-space.ts';

export interface ReplayGuard {
  /** What was remembered of a delivery that was handled to its end; undefined: it was not. */
  seen(id: string): Promise<string | undefined>;
  /** `note`: what its repeat is answered with. */
  remember(id: string, note: string, ttlMs: number): Promise<void>;
  /** Of all who ask about this id within that time, one is told true. */
  first(id: string, ttlMs: number): Promise<boolean>;
}

export function createReplayGuard({ store, prefix }: { store: Store; prefix: string }): ReplayGuard {
  const space = keySpace(prefix);
  // A sender may call a delivery whatever it likes. Two must not become one by what is taken out.
  const key = (id: string): string =>
    space.seen(scrub(id) === id ? id : createHash('sha256').update(id).digest('hex'));
  return {
    seen: async (id) => (await store.run((redis) => redis.get(key(id)))) ?? undefined,
    async remember(id, note, ttlMs) {
      await store.run((redis) => redis.set(key(id), scrub(note), 'PX', ttlMs));
    },
    first: async (id, ttlMs) =>
      (await store.run((redis) => redis.set(key(id), '1', 'PX', ttlMs, 'NX'))) !== null,
  };
}
