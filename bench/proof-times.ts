// How long from a signed alert until every real API server refused the token, and until that was proven by a second round?
import { setTimeout as delay } from 'node:timers/promises';
import { statusWith } from '../sandbox/ask.ts';
import type { World } from '../sandbox/world.ts';
import { openStore } from '../src/adapters/redis/connect.ts';
import { createIncidentLog } from '../src/adapters/redis/incident-log.ts';
import { deriveKeys } from '../src/adapters/redis/keys.ts';
import { fold } from '../src/domain/fold.ts';
import type { Incident } from '../src/domain/incident.ts';
import { createLog } from '../src/log.ts';
import { Secret } from '../src/secret.ts';
import type { Series } from './distribution.ts';
import { openStage, raiseAlarm, type Stage } from './stage.ts';

const PATIENCE_MS = 60_000;

/** With the proof protocol as it is by default: two rounds, 15 seconds apart. */
export async function proofTimes(count: number): Promise<Series[]> {
  const stage = await openStage({ alerts: 2 * count, real: true, stability: '15s' });
  try {
    await stage.world.startRole('bot');
    await stage.world.startRole('worker');
    const reader = readerOf(stage.world);
    try {
      const cold = await proofs(stage, reader, count, false);
      const warm = await proofs(stage, reader, count, true);
      return [...named('not used before', cold), ...named('used just before', warm)];
    } finally {
      await reader.close();
    }
  } finally {
    await stage.close();
  }
}

const named = (what: string, proven: Incident[]): Series[] => [
  { name: `alert -> first refused everywhere, ${what}`, times: proven.map(toFirstRefusal) },
  { name: `alert -> proof, ${what}`, times: proven.map(toProof) },
];

const since = ({ openedAt }: Incident, iso = ''): number => Date.parse(iso) - Date.parse(openedAt);
const toProof = (incident: Incident): number => since(incident, incident.proof?.provedAt);
const toFirstRefusal = (incident: Incident): number =>
  since(incident, incident.proof?.rounds.find(({ outcome }) => outcome.verdict === 'done')?.at);

/** One after another until the kill, and then all at the same time, since they only wait. */
async function proofs(stage: Stage, reader: Reader, count: number, warm: boolean): Promise<Incident[]> {
  const { world, target } = stage;
  const cluster = world.cluster('prod');
  const proven: Promise<Incident>[] = [];
  for (let i = 0; i < count; i++) {
    const leak = await target.seed();
    if (warm) await Promise.all(cluster.servers.map(({ url }) => statusWith(url, cluster.caPem, leak.token)));
    const { incidentId } = await raiseAlarm(stage, leak);
    proven.push(reader.proven(incidentId));
  }
  return await Promise.all(proven);
}

type Reader = ReturnType<typeof readerOf>;

function readerOf({ env, redis }: Pick<World, 'env' | 'redis'>) {
  const store = openStore(new Secret(redis.url), createLog({ level: 'silent' }));
  const log = createIncidentLog({
    store,
    prefix: redis.prefix,
    keys: deriveKeys(new Secret(env.TOURNIQUET_KEY ?? '')),
    clock: { now: () => Date.now() },
  });
  return {
    async proven(id: string): Promise<Incident> {
      for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await delay(250)) {
        const loaded = await log.load(id);
        const incident = loaded && fold(id, loaded.events);
        if (incident?.proof?.outcome?.verdict === 'done') return incident;
      }
      throw new Error(`Incident ${id} was not proven within ${PATIENCE_MS / 1000} s.`);
    },
    close: () => store.close(),
  };
}
