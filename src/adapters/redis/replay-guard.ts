// Remembers deliveries that were handled, so that a captured webhook cannot be used a second time.
import { createHash, randomUUID } from 'node:crypto';
import { scrub } from '../../domain/text/scrub.ts';
import type { Store } from './connect.ts';
import { keySpace } from './key-space.ts';
import { RENEW } from './locks.ts';

export interface ReplayGuard {
  /** What was remembered of a delivery that was handled to its end; undefined: it was not. */
  seen(id: string): Promise<string | undefined>;
  /** `note`: what its repeat is answered with. */
  remember(id: string, note: string, ttlMs: number): Promise<void>;
  /**
   * Takes a delivery in hand, alone: until `done` has noted that it was handled, or whoever took it has died and `holdMs` have
   * passed. So a second delivery of what a dead process had begun is not taken for a repeat.
   */
  begin(id: string, holdMs: number): Promise<Begun>;
}

export type Begun =
  | 'handled'
  /** Somebody else has it in hand; if they die, it can be begun after all. */
  | 'under-way'
  | { done(keepMs: number): Promise<void> };

const HANDLED = 'handled';

/** Who has it in hand; whoever asks, where nobody had. */
const BEGIN = `
local held = redis.call('GET', KEYS[1])
if held then return held end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
`;

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
    async begin(id, holdMs) {
      const name = key(id);
      const mine = randomUUID();
      const held = await store.run((redis) => redis.eval(BEGIN, 1, name, mine, holdMs));
      if (held !== mine) return held === HANDLED ? 'handled' : 'under-way';
      const renewing = setInterval(() => {
        // Where it fails, the hold lapses, as it would with us.
        store.run((redis) => redis.eval(RENEW, 1, name, mine, holdMs)).catch(() => undefined);
      }, holdMs / 3);
      return {
        async done(keepMs) {
          clearInterval(renewing);
          await store.run((redis) => redis.set(name, HANDLED, 'PX', keepMs));
        },
      };
    },
  };
}
