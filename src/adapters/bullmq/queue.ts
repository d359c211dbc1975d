// The job queue on BullMQ: at least once and with nothing but an incident's id inside, because the log decides what is done.
import type { Job } from 'bullmq';
import type { WorkKind } from '../../domain/incident/incident.ts';
import type { Log } from '../../log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobQueue, Work } from '../../ports/queue.ts';
import type { Connections } from './connections.ts';
import { createProducer } from './producer.ts';

/** Who does the work: the bot talks to Slack, the worker to clusters. */
export type WorkRole = 'bot' | 'worker';

export interface QueueOptions {
  connections: Connections;
  prefix: string;
  clock: Clock;
  log: Log;
}

export const queueName = (prefix: string, role: WorkRole | 'ask'): string => `${prefix}-${role}`;

export const LOCKS = {
  // The lock of a worker that died must lapse soon, for a leaked token is waiting; it is renewed while a job runs.
  lockDuration: 10_000,
  stalledInterval: 2000,
  // The log makes a second run harmless, so a job is never given up for having been interrupted.
  maxStalledCount: 100,
};

export const JOB_STATES = ['waiting', 'active', 'delayed', 'failed'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** The bot is the one that may talk to the internet. */
const roleOf = (kind: WorkKind): WorkRole => (kind === 'report' || kind === 'escalate' ? 'bot' : 'worker');

export interface OwnJobQueue extends JobQueue {
  /** How many jobs are in each queue, by state: one small question each. Throws AppError. */
  counts(): Promise<Record<WorkRole, Record<JobState, number>>>;
  /** Does what the first `add` would have to do before it: several round trips. Throws AppError. */
  open(): Promise<void>;
  close(): Promise<void>;
}

/** One that waits already, or runs, is not in the delayed state, and BullMQ says so. */
const letGo = (job: Job): Promise<void> => job.promote().catch(() => undefined);

export function createJobQueue(options: QueueOptions): OwnJobQueue {
  const { prefix, clock } = options;
  const producerFor = (role: WorkRole) => createProducer(queueName(prefix, role), { prefix }, options);
  const producers = { bot: producerFor('bot'), worker: producerFor('worker') };
  const toJob = (work: Work) => ({
    name: work.kind,
    data: { incidentId: work.incidentId },
    opts: {
      jobId: work.id,
      delay: Math.max(0, work.at - clock.now()),
      attempts: 1,
      // A record that is kept would make BullMQ ignore the same id when the log asks for it again.
      removeOnComplete: true,
      removeOnFail: true,
    },
  });
  return {
    async add(work, late) {
      await Promise.all(
        // The worker's first: a kill may be among them.
        (['worker', 'bot'] as const).map(async (role) => {
          const jobs = work.filter((one) => roleOf(one.kind) === role).map(toJob);
          const [first] = jobs;
          if (first === undefined) return;
          await producers[role].use<unknown>(async (queue) => {
            const added =
              jobs.length === 1
                ? [await queue.add(first.name, first.data, first.opts)]
                : await queue.addBulk(jobs);
            if (late) await Promise.all(added.map(letGo));
          });
        }),
      );
    },
    async counts() {
      const of = (role: WorkRole) =>
        producers[role].use((queue) => queue.getJobCounts(...JOB_STATES)) as Promise<
          Record<JobState, number>
        >;
      const [bot, worker] = await Promise.all([of('bot'), of('worker')]);
      return { bot, worker };
    },
    async open() {
      const nothing = async () => {};
      await Promise.all([producers.bot.use(nothing), producers.worker.use(nothing)]);
    },
    async close() {
      await Promise.all([producers.bot.close(), producers.worker.close()]);
    },
  };
}
