// What both roles stand on: Redis, the incident log, the queue, and the settings of the engine.
import { createJobQueue } from '../adapters/bullmq/queue.ts';
import { openStore } from '../adapters/redis/connect.ts';
import { deriveKeys } from '../adapters/redis/derived-keys.ts';
import { createIncidentLog } from '../adapters/redis/incident-log.ts';
import { createLedger } from '../adapters/redis/ledger.ts';
import { createLocks } from '../adapters/redis/locks.ts';
import { createPauseSwitch } from '../adapters/redis/pause-switch.ts';
import { createVault } from '../adapters/redis/vault.ts';
import type { BotDeps } from '../engine/ground/deps.ts';
import type { Assembly } from './assembly.ts';
import { shareClock } from './clock.ts';
import { settingsOf } from './settings.ts';
import type { Telemetry } from './telemetry.ts';

export type Shared = ReturnType<typeof openShared>;

export function openShared({ config, log, stack }: Assembly, telemetry: Telemetry) {
  const { prefix } = config.redis;
  const keys = deriveKeys(config.key);
  const store = openStore(config.redisUrl, log, config.redis);
  stack.defer(() => store.close());
  const clock = shareClock({ log, stack }, store, telemetry);
  const { metrics } = telemetry;
  const ran = (work: string, result: string, ms: number): void => {
    metrics.count('tourniquet_jobs_total', { work, result });
    metrics.observe('tourniquet_job_seconds', { work }, ms / 1000);
  };
  const queueOptions = { connections: store, prefix, clock, log, ran };
  const queue = createJobQueue(queueOptions);
  stack.defer(() => queue.close());
  const deps: BotDeps = {
    log: createIncidentLog({ store, prefix, keys, clock }),
    vault: createVault({ store, prefix, keys }),
    queue,
    locks: createLocks({ store, prefix }),
    pause: createPauseSwitch({ store, prefix, keys }),
    clock,
    settings: settingsOf(config),
    logger: log,
    witness: telemetry.witness,
  };
  /** Problems that keep this process from doing anything useful. */
  const problems = async (): Promise<string[]> => {
    try {
      await store.run((redis) => redis.ping());
      return [];
    } catch {
      return ['Redis does not answer: nothing new is accepted until it does; nothing accepted is lost.'];
    }
  };
  const ledger = createLedger({ store, prefix, keys });
  return { store, prefix, clock, ledger, queueOptions, queue, deps, problems, telemetry };
}
