// A lock that lapses: taken by one process at a time, and let go only by the one that took it.
import { randomUUID } from 'node:crypto';
import type { Locks } from '../../ports.ts';
import type { Store } from './connect.ts';
import { keySpace } from './key-space.ts';

const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`;

export function createLocks({ store, prefix }: { store: Store; prefix: string }): Locks {
  const space = keySpace(prefix);
  return {
    async take(name, ttlMs) {
      const key = space.lock(name);
      const mine = randomUUID();
      const taken = await store.run((redis) => redis.set(key, mine, 'PX', ttlMs, 'NX'));
      if (taken === null) return undefined;
      return { release: async () => void (await store.run((redis) => redis.eval(RELEASE, 1, key, mine))) };
    },
  };
}
