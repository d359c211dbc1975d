// A lock that lapses with its holder: kept while that process lives, and let go only by the one that took it.
import { randomUUID } from 'node:crypto';
import type { Locks } from '../../ports/locks.ts';
import type { Store } from './connect.ts';
import { keySpace } from './key-space.ts';

const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`;

/** Only what is still one's own: it may have lapsed, and be somebody else's now. */
export const RENEW = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end`;

export function createLocks({ store, prefix }: { store: Store; prefix: string }): Locks {
  const space = keySpace(prefix);
  return {
    async take(name, ttlMs) {
      const key = space.lock(name);
      const mine = randomUUID();
      // From before it was asked for: the answer may be read long after it was given.
      let since = performance.now();
      const taken = await store.run((redis) => redis.set(key, mine, 'PX', ttlMs, 'NX'));
      if (taken === null) return undefined;
      const renewing = setInterval(() => {
        const asked = performance.now();
        // Where it fails, the lock lapses, as it would with us.
        store
          .run((redis) => redis.eval(RENEW, 1, key, mine, ttlMs))
          .then((renewed) => {
            if (renewed === 1) since = asked;
          })
          .catch(() => undefined);
      }, ttlMs / 3);
      return {
        // A third is left for what is under way when it is asked.
        held: () => performance.now() - since < (ttlMs * 2) / 3,
        async release() {
          clearInterval(renewing);
          await store.run((redis) => redis.eval(RELEASE, 1, key, mine));
        },
      };
    },
  };
}
