// A BullMQ queue to add to: opened at the first use, and again where opening failed half-way.
import { Queue, type QueueOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Log } from '../../log.ts';
import type { Connections } from './connections.ts';

export interface Producer {
  /** Throws AppError `store-unavailable`. */
  use<T>(call: (queue: Queue) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function createProducer(
  name: string,
  options: Omit<QueueOptions, 'connection'>,
  { connections, log }: { connections: Connections; log: Log },
): Producer {
  let opening: Promise<Queue> | undefined;
  const open = async (connection: Redis): Promise<Queue> => {
    const queue = new Queue(name, { ...options, connection });
    // Every question that waits for its answer listens for the end of the queue.
    queue.setMaxListeners(0);
    queue.on('error', (err) => log.debug({ err, queue: name }, 'queue connection'));
    try {
      await queue.waitUntilReady();
      return queue;
    } catch (error) {
      // BullMQ would remember this failure for ever.
      opening = undefined;
      throw error;
    }
  };
  return {
    use: (call) =>
      connections.run(async (redis) => {
        opening ??= open(redis);
        return call(await opening);
      }),
    async close() {
      await opening?.then((queue) => queue.close()).catch(() => undefined);
    },
  };
}
