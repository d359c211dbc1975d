// A world with tokens to leak in it, the bot and the worker as processes of their own, and the ways of leaking one.
import { Queue } from 'bullmq';
import { realCluster } from '../sandbox/real-world.ts';
import { startWorld, type World, type WorldCluster, type WorldOptions } from '../sandbox/world.ts';
import { queueName } from '../src/adapters/bullmq/queue.ts';
import type { Kill } from './kills.ts';
import { type Leak, realTarget, simulatedTarget, type Target } from './target.ts';

export interface Stage {
  world: World<WorldCluster>;
  target: Target;
  /** Resolves when nothing is left to do for any incident now: plans made, cards posted, the first probes done. */
  calm(): Promise<void>;
  close(): Promise<void>;
}

export interface StageOptions {
  /** How many may be contained. */
  alerts: number;
  real?: boolean;
  /** The second round of probes falls into the measurement of later alerts, so that it is put off unless asked for. */
  stability?: string;
}

export async function openStage({ alerts, real = false, stability = '1h' }: StageOptions): Promise<Stage> {
  const options = {
    slack: { rates: 'off' },
    config: {
      autoContain: 'token-in-hand',
      autoContainPerHour: alerts,
      slack: { channel: 'CINCIDENTS', updateEvery: '1ms', burst: { cards: 100_000 } },
      proof: { stability },
    },
  } satisfies Pick<WorldOptions, 'slack' | 'config'>;
  const { world, target } = await (real ? realStage(options) : simulatedStage(options));
  const queues = (['bot', 'worker'] as const).map(
    (role) =>
      new Queue(queueName(world.redis.prefix, role), {
        connection: { url: world.redis.url },
        prefix: world.redis.prefix,
      }),
  );
  return {
    world,
    target,
    async calm() {
      const busy = async () =>
        (await Promise.all(queues.map((queue) => queue.getJobCountByTypes('waiting', 'active')))).some(
          Boolean,
        );
      while (await busy()) await new Promise((resolve) => setTimeout(resolve, 10));
    },
    async close() {
      await Promise.all(queues.map((queue) => queue.close()));
      await target.close();
      await world.close();
    },
  };
}

type Options = Pick<WorldOptions, 'slack' | 'config'>;

async function simulatedStage(options: Options) {
  const world = await startWorld({ clusters: { prod: { servers: 2 } }, ...options });
  return { world, target: simulatedTarget(world.cluster('prod')) };
}

async function realStage(options: Options) {
  const world = await startWorld({ clusters: { prod: realCluster('prod', { servers: 2 }) }, ...options });
  return { world, target: await realTarget(world.cluster('prod')) };
}

export interface Round {
  sentAt: number;
  answeredAt: number;
  kill: Kill;
  incidentId: string;
}

/** One signed alert that carries the token, from just before it is signed and sent. */
export async function raiseAlarm({ world, target }: Stage, { token, path }: Leak): Promise<Round> {
  const killed = target.kills.of(path);
  const sentAt = performance.now();
  const answered = world.report({ token, where: { text: 'a public gist' } }).then(async (response) => {
    const answeredAt = performance.now();
    const text = await response.text();
    if (response.status !== 202) throw new Error(`The alert was answered ${response.status}: ${text}`);
    const { incidents } = JSON.parse(text) as { incidents: { id: string }[] };
    return { answeredAt, incidentId: incidents[0]?.id ?? '' };
  });
  const [kill, answer] = await Promise.all([killed, answered]);
  return { sentAt, kill, ...answer };
}
