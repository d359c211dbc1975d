// Takes jobs off the queue and hands them to the engine, and stops without cutting one short where it can.
import { Worker } from 'bullmq';
import type { WorkKind } from '../../domain/incident/incident.ts';
import { scrub } from '../../domain/text/scrub.ts';
import { withLogFields } from '../../log-fields.ts';
import type { Work } from '../../ports/queue.ts';
import { LOCKS, type QueueOptions, queueName, type WorkRole } from './queue.ts';

export type WorkHandler = (work: Omit<Work, 'at'>) => Promise<void>;

export interface WorkerOptions extends QueueOptions {
  concurrency: number;
  /** Told of each job that ended, for whoever counts. */
  ran?: (work: WorkKind, result: 'done' | 'failed', ms: number) => void;
}

export interface RunningWorker {
  /** Resolves once it waits for jobs. */
  ready: Promise<unknown>;
  /** Time since Redis last answered a request for work; 0 while every slot is busy. */
  lastPollAgeMs(): number;
  /** How long the oldest job that runs here has been running; 0 where none runs. */
  oldestJobMs(): number;
  /** Takes no more jobs and waits for the running ones; what is left after `graceMs` is run again by another worker. */
  close(graceMs: number): Promise<void>;
}

export function startWorker(
  role: WorkRole,
  handler: WorkHandler,
  { connections, prefix, log, clock, concurrency, ran }: WorkerOptions,
): RunningWorker {
  /** And when each began. */
  const running = new Map<Promise<void>, number>();
  const worker = new Worker<{ incidentId: string }>(
    queueName(prefix, role),
    async ({ id, name, data }) => {
      const task = { id: id ?? '', kind: name as WorkKind, incidentId: data.incidentId };
      const began = clock.now();
      // So that every line that is written meanwhile says for which incident and which job.
      const fields = { incident: task.incidentId, job: task.id, work: task.kind };
      const work = withLogFields(fields, () => handler(task));
      const ended = (result: 'done' | 'failed') => () => {
        ran?.(task.kind, result, clock.now() - began);
      };
      const settled = work.then(ended('done'), ended('failed'));
      running.set(settled, began);
      await work.catch(rethrown).finally(() => running.delete(settled));
    },
    {
      connection: connections.patient(),
      prefix,
      concurrency,
      ...LOCKS,
      autorun: false,
    },
  );
  worker.on('error', (err) => log.warn({ err, role }, 'the queue reports an error'));
  worker.on('failed', (job, err) =>
    log.warn(
      { err, job: job?.id, work: job?.name, incident: job?.data.incidentId },
      'a job failed; the sweeper adds it again',
    ),
  );
  const lastPoll = notePolls(worker, clock.now);
  worker
    .run()
    .catch((err: unknown) =>
      log.error({ err, role }, 'the worker stopped taking jobs; restart this process'),
    );
  return {
    ready: worker.waitUntilReady(),
    lastPollAgeMs: () => (running.size >= concurrency ? 0 : clock.now() - lastPoll()),
    oldestJobMs: () => (running.size === 0 ? 0 : clock.now() - Math.min(...running.values())),
    async close(graceMs) {
      await worker.pause(true);
      await within(graceMs, allSettled(running));
      await within(1000, worker.close(running.size > 0));
    },
  };
}

/** BullMQ writes what an error says into Redis. */
function rethrown(error: unknown): never {
  if (!(error instanceof Error)) throw new Error(scrub(String(error)));
  error.message = scrub(error.message);
  error.stack = scrub(error.stack ?? '');
  throw error;
}

/** BullMQ has no event for an unsuccessful poll, so the one request that each poll ends with is noted. */
function notePolls(worker: Worker, now: () => number): () => number {
  const backend = worker.getBackend();
  const moveToActive = backend.moveToActive.bind(backend);
  let last = now();
  backend.moveToActive = async (...args) => {
    const result = await moveToActive(...args);
    last = now();
    return result;
  };
  return () => last;
}

async function allSettled(running: Map<Promise<void>, number>): Promise<void> {
  while (running.size > 0) await Promise.all(running.keys());
}

async function within(ms: number, wait: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, wait]).finally(() => clearTimeout(timer));
}
