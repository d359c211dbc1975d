// Says at the start, and in /tourniquet health as long as it lasts, that Redis could lose what was acknowledged.
import type { Store } from '../adapters/redis/connect.ts';
import { durabilityDoubts } from '../adapters/redis/durability.ts';
import { readRedisFacts } from '../adapters/redis/facts.ts';
import type { Config } from '../config/config.ts';
import { every } from '../every.ts';
import type { Assembly } from './assembly.ts';

/** None of them keeps a process from its work. Throws AppError `store-unavailable`. */
export const lossDoubts = async (store: Store, { redis }: Config): Promise<string[]> =>
  durabilityDoubts(await readRedisFacts(store), redis.waitForReplicas);

/** Once, as soon as Redis can be asked. */
export function warnOfLoss({ log, stack, config }: Assembly, store: Store): void {
  const looking = every(
    config.sweepEvery,
    async () => {
      for (const doubt of await lossDoubts(store, config)) log.warn({}, doubt);
      looking.end();
    },
    (err) => log.debug({ err }, 'Redis cannot be asked yet whether it could lose anything'),
  );
  stack.defer(() => looking.stop());
}
