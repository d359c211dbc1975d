// Questions from the bot to the worker, who alone may look at clusters: short jobs with a deadline, answered or forgotten.
import { QueueEvents, Worker } from 'bullmq';
import { scrubbed } from '../../domain/text/scrub.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Answer, Desk, Question } from '../../ports/desk.ts';
import { createProducer } from './producer.ts';
import { LOCKS, type QueueOptions, queueName } from './queue.ts';

interface Ask {
  question: Question;
  /** Unix milliseconds after which nobody waits for the answer. */
  until: number;
}

/** Kept for a moment, because an answer may come before its asker has begun to listen. */
const KEPT = { age: 60, count: 100 };

export function createDesk(options: QueueOptions): Desk & { close(): Promise<void> } {
  const { connections, prefix, log, clock } = options;
  const name = queueName(prefix, 'ask');
  const streams = { events: { maxLen: 100 } };
  const producer = createProducer(name, { prefix, streams }, options);
  // From the start of the (short) stream: what is answered before the first read would be missed from its end.
  const answers = new QueueEvents(name, { connection: connections.patient(), prefix, lastEventId: '0' });
  answers.on('error', (err) => log.warn({ err, queue: name }, 'the queue reports an error'));
  answers.setMaxListeners(0);
  return {
    async ask(question, deadlineMs) {
      const ask: Ask = { question, until: clock.now() + deadlineMs };
      const job = await producer.use((queue) =>
        queue.add(question.ask, scrubbed(ask), { attempts: 1, removeOnComplete: KEPT, removeOnFail: KEPT }),
      );
      const answer: Answer | null = await job.waitUntilFinished(answers, deadlineMs).catch(() => null);
      if (answer) return answer;
      throw new AppError(
        'timeout',
        `No worker answered within ${Math.round(deadlineMs / 100) / 10} s. Check that the worker is running, then ask again.`,
        { retry: true },
      );
    },
    async close() {
      await Promise.all([answers.close(), producer.close()]);
    },
  };
}

export function startClerk(
  answer: (question: Question) => Promise<Answer>,
  { connections, prefix, log, clock }: QueueOptions,
): { close(): Promise<void> } {
  const worker = new Worker<Ask, Answer | null>(
    queueName(prefix, 'ask'),
    async ({ data }) => {
      if (data.until <= clock.now()) return null;
      try {
        return scrubbed(await answer(data.question));
      } catch (err) {
        log.warn({ err, ask: data.question.ask }, 'a question could not be answered');
        const problem = isAppError(err) ? err.message : 'The worker failed to look; its log says why.';
        return scrubbed({ found: [], near: [], problems: [problem] });
      }
    },
    {
      connection: connections.patient(),
      prefix,
      concurrency: 4,
      ...LOCKS,
    },
  );
  worker.on('error', (err) => log.warn({ err, queue: 'ask' }, 'the queue reports an error'));
  // Whoever asked has given up by the time a grace period would end.
  return { close: () => worker.close(true) };
}
