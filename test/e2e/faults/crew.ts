// Two bots and two workers, as in production, and a sender that turns to the other bot where one does not answer.
import { Queue } from 'bullmq';
import { expect } from 'vitest';
import type { RoleProcess } from '../../../sandbox/process.ts';
import { newDelivery, senders } from '../../../sandbox/senders.ts';
import type { World } from '../../../sandbox/world.ts';
import { queueName } from '../../../src/adapters/bullmq/queue.ts';
import { carriedOut } from '../stage.ts';

export const ROLES = ['bot', 'worker'] as const;
export type Role = (typeof ROLES)[number];

export interface Crew {
  /** Two of each. */
  processes: Record<Role, RoleProcess[]>;
  /** Starts another process in the place of this one, which has ended or is about to. */
  replace(role: Role, index: number): Promise<void>;
  /**
   * Sends an alert to one bot after another until one says that it has it, as a sender behind a load balancer does.
   * Answers the incident, unless it is told that an earlier try has got through.
   */
  deliver(data: Record<string, unknown>): Promise<string | undefined>;
  /** One try at one bot. */
  send(index: number, data: Record<string, unknown>, delivery: string): Promise<Answer>;
  /** How many alerts were acknowledged. */
  acknowledged(): number;
  /** Called with each acknowledgement, in the turn in which it came. */
  onAcknowledged: (() => void) | undefined;
  /** Jobs that could be done now, and those that failed. */
  queued(): Promise<number>;
  close(): Promise<void>;
}

export interface Answer {
  status: number;
  body: { status?: string; incidents?: { id: string; created: boolean }[] };
}

const GIVE_UP_MS = 60_000;

export async function startCrew(world: World): Promise<Crew> {
  const { env, redis } = world;
  const pair = (role: Role) => Promise.all([world.startRole(role), world.startRole(role)]);
  const [bot, worker] = await Promise.all([pair('bot'), pair('worker')]);
  const processes = { bot, worker };
  const options = { connection: { url: redis.url }, prefix: redis.prefix };
  const queues = ROLES.map((role) => new Queue(queueName(redis.prefix, role), options));
  const secrets = {
    report: env.TOURNIQUET_SOURCE_REPORT ?? '',
    gitguardian: env.TOURNIQUET_SOURCE_GITGUARDIAN ?? '',
  };
  let turn = 0;
  let acknowledged = 0;
  const crew: Crew = {
    processes,
    async replace(role, index) {
      processes[role][index] = await world.startRole(role);
    },
    async send(index, data, delivery) {
      const { ports } = processes.bot[index] as RoleProcess;
      const response = await senders(() => `http://127.0.0.1:${ports.http}`, secrets).report(data, delivery);
      return { status: response.status, body: (await response.json()) as Answer['body'] };
    },
    async deliver(data) {
      const delivery = newDelivery();
      for (const end = Date.now() + GIVE_UP_MS; Date.now() < end; ) {
        // A bot that is gone refuses the connection, one that dies cuts it.
        const answer = await crew.send(turn++ % 2, data, delivery).catch(() => undefined);
        if (answer === undefined || answer.status >= 500) continue;
        if (answer.status >= 300) throw new Error(`The alert was refused: ${answer.status}.`);
        acknowledged++;
        crew.onAcknowledged?.();
        return answer.body.incidents?.[0]?.id;
      }
      throw new Error('No bot took the alert.');
    },
    acknowledged: () => acknowledged,
    onAcknowledged: undefined,
    async queued() {
      const counts = await Promise.all(
        queues.map((queue) => queue.getJobCountByTypes('waiting', 'active', 'failed')),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    },
    close: async () => void (await Promise.all(queues.map((queue) => queue.close()))),
  };
  return crew;
}

/**
 * A process that starts looks at once for what the queue lost, and a quarantine that is just under way looks like that: then
 * the same label is written twice, which changes nothing. More often would be a fault.
 */
export function expectQuarantined(world: World, secret: string): void {
  const written = carriedOut(world, 'PATCH', secret).length;
  expect(written, secret).toBeGreaterThan(0);
  expect(written, secret).toBeLessThan(3);
}
