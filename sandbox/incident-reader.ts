// Reads incidents out of the log as the product wrote them: its own times, not those of whoever watches.
import { setTimeout as delay } from 'node:timers/promises';
import type { World, WorldCluster } from '../sandbox/world.ts';
import { openStore } from '../src/adapters/redis/connect.ts';
import { deriveKeys } from '../src/adapters/redis/derived-keys.ts';
import { createIncidentLog } from '../src/adapters/redis/incident-log.ts';
import type { IncidentEvent } from '../src/domain/incident/events.ts';
import { fold } from '../src/domain/incident/fold.ts';
import type { Incident } from '../src/domain/incident/incident.ts';
import { createLog } from '../src/log.ts';
import { Secret } from '../src/secret.ts';

const PATIENCE_MS = 60_000;

export interface Read {
  events: IncidentEvent[];
  incident: Incident;
  /** Version that people see. */
  shown: number;
}

export type Reader = ReturnType<typeof readerOf>;

export function readerOf({ env, redis }: Pick<World<WorldCluster>, 'env' | 'redis'>) {
  const store = openStore(new Secret(redis.url), createLog({ level: 'silent' }));
  const log = createIncidentLog({
    store,
    prefix: redis.prefix,
    keys: deriveKeys(new Secret(env.TOURNIQUET_KEY ?? '')),
    clock: { now: () => Date.now() },
  });
  return {
    /** Of every incident. */
    ids: () => log.list(100_000),
    /** Verifies the log, too. */
    async read(id: string): Promise<Read> {
      const { events = [], cursors = {} } = (await log.load(id)) ?? {};
      return { events, incident: fold(id, events), shown: Math.max(0, ...Object.values(cursors)) };
    },
    async until(id: string, wanted: (incident: Incident) => boolean, ms = PATIENCE_MS): Promise<Incident> {
      for (const end = Date.now() + ms; Date.now() < end; await delay(250)) {
        const loaded = await log.load(id);
        const incident = loaded && fold(id, loaded.events);
        if (incident && wanted(incident)) return incident;
      }
      throw new Error(`Incident ${id} did not get there within ${ms / 1000} s.`);
    },
    close: () => store.close(),
  };
}
