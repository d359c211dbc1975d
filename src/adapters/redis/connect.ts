// Connections to Redis: one that fails within about a second, so that nobody waits for an answer, and patient ones for consumers.
import { Redis } from 'ioredis';
import { AppError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Secret } from '../../secret.ts';

/** How long a request waits for a connection, and then for its answer. */
const CONNECT_MS = 500;
const ANSWER_MS = 1000;

export interface Store {
  /** Runs one request; throws AppError `store-unavailable` where Redis cannot be reached, refuses or does not answer. */
  run<T>(request: (redis: Redis) => Promise<T>): Promise<T>;
  /** A connection that waits for Redis as long as it takes; shared, and closed with the store. */
  patient(): Redis;
  close(): Promise<void>;
}

export function openStore(url: Secret, log: Log): Store {
  const redis = new Redis(url.reveal(), {
    // A request is never kept for later: one that was reported as failed must not take effect afterwards.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: ANSWER_MS,
    connectTimeout: 5000,
    maxLoadingRetryTime: 200,
    retryStrategy: (times) => Math.min(times * 50, 400),
    // After a fail-over the old primary may still answer, as a replica.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  watch(redis, log);
  let patient: Redis | undefined;
  return {
    async run(request) {
      await connected(redis);
      gather(redis);
      try {
        return await request(redis);
      } catch (error) {
        throw unavailable(error);
      }
    },
    patient() {
      patient ??= watch(
        redis.duplicate({
          enableOfflineQueue: true,
          autoResendUnfulfilledCommands: true,
          maxRetriesPerRequest: null,
          commandTimeout: undefined,
        }),
        log,
      );
      return patient;
    },
    async close() {
      await Promise.all([redis, patient].map((one) => one?.quit().catch(() => one.disconnect())));
    },
  };
}

/** ioredis reports every failed attempt to reconnect; people want to know of the outage and of its end. */
function watch(redis: Redis, log: Log): Redis {
  let down = false;
  // Every request that waits for the connection listens for it, and BullMQ adds to this number.
  redis.setMaxListeners(1000);
  redis.on('error', (err) => {
    if (!down) log.warn({ err }, 'Redis cannot be reached; trying again until it can');
    down = true;
  });
  redis.on('ready', () => {
    if (down) log.info({}, 'Redis can be reached again');
    down = false;
  });
  return redis;
}

async function connected(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const onReady = () => resolve(true);
  const timer = setTimeout(() => resolve(false), CONNECT_MS);
  redis.once('ready', onReady);
  const ready = await promise;
  clearTimeout(timer);
  redis.off('ready', onReady);
  if (!ready) throw unreachable();
}

/** What is asked for in one turn of the event loop leaves as one packet, for which Redis calls fsync once. */
function gather({ stream }: Redis): void {
  if (stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

const unreachable = (cause?: Error) =>
  new AppError('store-unavailable', 'Redis cannot be reached, so nothing was accepted. Send it again.', {
    retry: true,
    cause,
  });

function unavailable(error: unknown): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error;
  // What ioredis says where it did not send the command, because the connection had just closed.
  if (error.message.startsWith("Stream isn't writeable")) return unreachable(error);
  const refused = error.name === 'ReplyError' ? error.message.split(' ')[0] : undefined;
  const message = refused
    ? `Redis refused the request (${refused}), so nothing was accepted. ${remedy(refused)}`
    : 'Redis did not confirm in time, so it is not known whether this was stored. Send it again: a repeat is recognised.';
  return new AppError('store-unavailable', message, { retry: true, cause: error });
}

function remedy(code: string): string {
  if (code === 'OOM') return 'Give it more memory, then send it again.';
  if (code === 'NOAUTH' || code === 'WRONGPASS' || code === 'NOPERM')
    return 'Check user and password in REDIS_URL, and that this user may run every command on the prefix.';
  if (code === 'MISCONF') return 'It cannot write to its disk: free some space, then send it again.';
  return 'Send it again; if it goes on, look at the Redis log.';
}
