// What the queue needs of Redis; composed from outside, because adapters do not know one another.
import type { Redis } from 'ioredis';

export interface Connections {
  /** One request that fails fast, with an AppError. */
  run<T>(request: (redis: Redis) => Promise<T>): Promise<T>;
  /** A connection that waits for Redis as long as it takes. */
  patient(): Redis;
}
