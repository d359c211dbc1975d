// A world with tokens to leak in it, the bot and the worker as processes of their own, and the ways of leaking one.
import { Queue } from 'bullmq';
import type { SimulatedCluster } from '../sandbox/cluster/cluster.ts';
import { startWorld, type World } from '../sandbox/world.ts';
import { queueName } from '../src/adapters/bullmq/queue.ts';
import { LAST_USED } from '../src/domain/labels.ts';
import { type Kill, type Kills, watchKills } from './kills.ts';

export interface Leak {
  token: string;
  path: string;
}

export interface Stage {
  world: World;
  cluster: SimulatedCluster;
  kills: Kills;
  /** A legacy token that has been used, in a namespace of its own. */
  seed(): Promise<Leak>;
  /** Resolves when nothing is left to do for any incident now: plans made, cards posted, the first probes done. */
  calm(): Promise<void>;
  close(): Promise<void>;
}

export async function openStage(alerts: number): Promise<Stage> {
  const world = await startWorld({
    clusters: { prod: { servers: 2 } },
    slack: { rates: 'off' },
    config: {
      autoContain: 'token-in-hand',
      autoContainPerHour: alerts,
      slack: { channel: 'CINCIDENTS', updateEvery: '1ms' },
      // The second round of probes would fall into the measurement of later alerts.
      proof: { stability: '1h' },
    },
  });
  const cluster = world.cluster('prod');
  const queues = (['bot', 'worker'] as const).map(
    (role) =>
      new Queue(queueName(world.redis.prefix, role), {
        connection: { url: world.redis.url },
        prefix: world.redis.prefix,
      }),
  );
  let seeded = 0;
  return {
    world,
    cluster,
    kills: watchKills(cluster),
    async seed() {
      const namespace = `team-${++seeded}`;
      cluster.seed.namespace(namespace);
      cluster.seed.serviceAccount(namespace, 'api');
      const labels = { [LAST_USED]: new Date().toISOString().slice(0, 10) };
      const token = await cluster.seed.tokenSecret(namespace, 'api-token', 'api', { labels });
      return { token, path: `/api/v1/namespaces/${namespace}/secrets/api-token` };
    },
    async calm() {
      const busy = async () =>
        (await Promise.all(queues.map((queue) => queue.getJobCountByTypes('waiting', 'active')))).some(
          Boolean,
        );
      while (await busy()) await new Promise((resolve) => setTimeout(resolve, 10));
    },
    async close() {
      await Promise.all(queues.map((queue) => queue.close()));
      await world.close();
    },
  };
}

export interface Round {
  sentAt: number;
  answeredAt: number;
  kill: Kill;
}

/** One signed alert that carries the token, from just before it is signed and sent. */
export async function raiseAlarm({ world, kills }: Stage, { token, path }: Leak): Promise<Round> {
  const killed = kills.of(path);
  const sentAt = performance.now();
  const answered = world.report({ token, where: { text: 'a public gist' } }).then(async (response) => {
    const answeredAt = performance.now();
    const body = await response.text();
    if (response.status !== 202) throw new Error(`The alert was answered ${response.status}: ${body}`);
    return answeredAt;
  });
  const [kill, answeredAt] = await Promise.all([killed, answered]);
  return { sentAt, answeredAt, kill };
}
