// Connections to Redis: one that fails within about a second, so that nobody waits for an answer, and patient ones for consumers.
import { Redis, type RedisOptions } from 'ioredis';
import { AppError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Secret } from '../../secret.ts';
import { addressOptions } from './options.ts';

/** How long a request waits for a connection, and then for its answer. */
const CONNECT_MS = 500;
const ANSWER_MS = 1000;

export interface Store {
  /** Runs one request; throws AppError `store-unavailable` where Redis cannot be reached, refuses or does not answer. */
  run<T>(request: (redis: Redis) => Promise<T>): Promise<T>;
  /** The same for a write that must not be lost with the primary: resolves once so many replicas have it as are configured. */
  keep<T>(request: (redis: Redis) => Promise<T>): Promise<T>;
  /** A connection that waits for Redis as long as it takes; shared, and closed with the store. */
  patient(): Redis;
  close(): Promise<void>;
}

export interface StoreOptions {
  /** PEM file of the authority that signed the certificate of Redis. */
  caFile?: string | undefined;
  /** How many replicas must have a write that is kept. */
  waitForReplicas?: number;
}

/** Less than a request may take, so that the answer says why. */
const REPLICAS_MS = 800;

const CAREFUL = {
  // A request is never kept for later: one that was reported as failed must not take effect afterwards.
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: ANSWER_MS,
  connectTimeout: 5000,
  maxLoadingRetryTime: 200,
  retryStrategy: (times: number) => Math.min(times * 50, 400),
  // After a fail-over the old primary may still answer, as a replica.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} satisfies RedisOptions;

/** Throws AppError `bad-config`; connects in the background. */
export function openStore(url: Secret, log: Log, options: StoreOptions = {}): Store {
  const { caFile, waitForReplicas = 0 } = options;
  const redis = new Redis({ ...addressOptions(url, caFile), ...CAREFUL });
  watch(redis, log);
  // While a connection waits for replicas, Redis answers nothing else on it.
  const keeper = waitForReplicas > 0 ? watch(redis.duplicate(), log) : undefined;
  let patient: Redis | undefined;
  const run: Store['run'] = (request) => runOn(redis, request);
  return {
    run,
    keep: (request) =>
      keeper === undefined
        ? run(request)
        : runOn(keeper, async (connection) => {
            const [result, replicas] = await Promise.all([
              request(connection),
              connection.wait(waitForReplicas, REPLICAS_MS),
            ]);
            if (replicas < waitForReplicas) throw notReplicated(replicas, waitForReplicas);
            return result;
          }),
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
      await Promise.all([redis, keeper, patient].map((one) => one?.quit().catch(() => one.disconnect())));
    },
  };
}

async function runOn<T>(redis: Redis, request: (redis: Redis) => Promise<T>): Promise<T> {
  await connected(redis);
  gather(redis);
  try {
    return await request(redis);
  } catch (error) {
    throw unavailable(error);
  }
}

/** Why a connection is not there. */
const lastErrors = new WeakMap<Redis, Error>();

/** ioredis reports every failed attempt to reconnect; people want to know of the outage and of its end. */
function watch(redis: Redis, log: Log): Redis {
  let down = false;
  // Every request that waits for the connection listens for it, and BullMQ adds to this number.
  redis.setMaxListeners(1000);
  redis.on('error', (err) => {
    lastErrors.set(redis, err);
    if (!down) log.warn({ err }, 'Redis cannot be reached; trying again until it can');
    down = true;
  });
  redis.on('ready', () => {
    lastErrors.delete(redis);
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
  if (ready) return;
  const error = lastErrors.get(redis);
  throw error?.name === 'ReplyError' ? unavailable(error) : unreachable(error);
}

/** What is asked for in one turn of the event loop leaves as one packet, for which Redis calls fsync once. */
function gather({ stream }: Redis): void {
  if (stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

const UNTRUSTED = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

function unreachable(cause?: Error & { code?: unknown }): AppError {
  const code = typeof cause?.code === 'string' && UNTRUSTED.test(cause.code) ? cause.code : undefined;
  const message = code
    ? `The certificate of Redis is not trusted (${code}), so nothing was accepted. Name its authority in redis.caFile, and Redis by the name that its certificate carries.`
    : 'Redis cannot be reached, so nothing was read and nothing was accepted. Try again; if it goes on, see: tourniquet doctor';
  return new AppError('store-unavailable', message, { retry: true, cause });
}

const notReplicated = (have: number, want: number) =>
  new AppError(
    'store-unavailable',
    `Redis stored this, but only ${have} of ${want} replicas confirmed it in time, so a fail-over could lose it. Send it again: a repeat is recognised. ` +
      'If it goes on, look at the replicas, or lower redis.waitForReplicas.',
    { retry: true },
  );

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
