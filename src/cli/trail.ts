// What the commands need of a running Tourniquet: its incident log in Redis, read with the worker's configuration.
import { openStore } from '../adapters/redis/connect.ts';
import { createIncidentLog } from '../adapters/redis/incident-log.ts';
import { deriveKeys } from '../adapters/redis/keys.ts';
import { type Config, loadConfig } from '../config.ts';
import { createLog } from '../log.ts';
import type { Terminal } from './command.ts';

export type Trail = ReturnType<typeof createIncidentLog>;

/** Opens Redis only where `trail` is called, and closes it afterwards. Throws AppError `bad-config`. */
export async function withTrail<T>(
  env: Terminal['env'],
  use: (open: { config: Config; trail: () => Trail }) => Promise<T>,
): Promise<T> {
  const config = loadConfig('worker', env);
  let store: ReturnType<typeof openStore> | undefined;
  const trail = () => {
    store ??= openStore(config.redisUrl, createLog({ level: 'silent' }), config.redis);
    return createIncidentLog({
      store,
      prefix: config.redis.prefix,
      keys: deriveKeys(config.key),
      clock: { now: () => Date.now() },
    });
  };
  try {
    return await use({ config, trail });
  } finally {
    await store?.close();
  }
}
