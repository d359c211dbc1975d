// Turns the address of Redis into what ioredis wants to know, so that the log, the queue and the command line connect alike.
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { RedisOptions } from 'ioredis';
import { parseRedisUrl, REDIS_URL_FORMS } from '../../config/redis-url.ts';
import { AppError } from '../../errors.ts';
import type { Secret } from '../../secret.ts';

/** Throws AppError `bad-config`. */
export function addressOptions(url: Secret, caFile: string | undefined): Omit<RedisOptions, 'replyMapping'> {
  const address = parseRedisUrl(url.reveal());
  const [first] = address?.hosts ?? [];
  if (address === undefined || first === undefined)
    throw new AppError('bad-config', `REDIS_URL is not the address of a Redis. Write ${REDIS_URL_FORMS}.`);
  const { username, password, database, primary, hosts, sentinelPassword } = address;
  const tls = address.tls ? tlsOptions(caFile) : undefined;
  const login = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls }),
    db: database,
  };
  if (primary === undefined) return { ...login, ...first };
  return {
    ...login,
    sentinels: hosts,
    name: primary,
    role: 'master',
    // A Sentinel tells of a fail-over, so that nobody goes on talking to the old primary.
    failoverDetector: true,
    sentinelRetryStrategy: (times) => Math.min(times * 50, 400),
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    ...(tls && { sentinelTLS: tls, enableTLSForSentinelMode: true }),
  };
}

function tlsOptions(caFile: string | undefined): ConnectionOptions {
  if (caFile === undefined) return {};
  try {
    return { ca: readFileSync(caFile) };
  } catch (cause) {
    throw new AppError(
      'bad-config',
      `redis.caFile: cannot read ${caFile}. Name the PEM file of the authority that signed the certificate of Redis.`,
      { cause },
    );
  }
}
