// What the commands need of a running Tourniquet: its incident log in Redis, read with the worker's configuration.
import { openStore } from '../adapters/redis/connect.ts';
import { deriveKeys } from '../adapters/redis/derived-keys.ts';
import { createIncidentLog } from '../adapters/redis/incident-log.ts';
import { createLedger } from '../adapters/redis/ledger.ts';
import { type Config, loadConfig } from '../config/config.ts';
import type { Ledger } from '../engine/ground/ledger.ts';
import { createLog } from '../log.ts';
import type { Terminal } from './terminal.ts';

export type Trail = ReturnType<typeof createIncidentLog>;

/** Opens Redis only where `trail` is called, and closes it afterwards. Throws AppError `bad-config`. */
export async function withTrail<T>(
  env: Terminal['env'],
  use: (open: { config: Config; trail: () => Trail; ledger: () => Ledger }) => Promise<T>,
): Promise<T> {
  const config = loadConfig('worker', env);
  let store: ReturnType<typeof openStore> | undefined;
  const redis = () => {
    store ??= openStore(config.redisUrl, createLog({ level: 'silent' }), config.redis);
    return { store, prefix: config.redis.prefix, keys: deriveKeys(config.key) };
  };
  const trail = () => createIncidentLog({ ...redis(), clock: { now: () => Date.now() } });
  const ledger = () => createLedger(redis());
  try {
    return await use({ config, trail, ledger });
  } finally {
    await store?.close();
  }
}
