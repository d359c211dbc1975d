// What Redis says about itself, as far as it says it: a managed one may forbid CONFIG.
import type { Store } from './connect.ts';

export interface RedisFacts {
  version: string;
  isPrimary: boolean;
  /** Redis Cluster, which spreads keys over servers. */
  isCluster: boolean;
  replicas: number;
  aof: boolean;
  /** Undefined: not told. */
  fsync: string | undefined;
  eviction: string | undefined;
  aofFailed: boolean;
  snapshotFailed: boolean;
  usedBytes: number;
  /** 0: no limit. */
  limitBytes: number;
  /** Unix milliseconds, by the clock of Redis. */
  now: number;
  /** How long it took to ask for the time. */
  tookMs: number;
}

/** Throws AppError `store-unavailable`. */
export async function readRedisFacts(store: Store): Promise<RedisFacts> {
  const [text, fsync, policy, { now, tookMs }] = await Promise.all([
    store.run((redis) => redis.info()),
    setting(store, 'appendfsync'),
    setting(store, 'maxmemory-policy'),
    time(store),
  ]);
  const info = parseInfo(text);
  const failed = (name: string) => (info[name] ?? 'ok') !== 'ok';
  return {
    version: info.valkey_version ?? info.redis_version ?? '',
    isPrimary: info.role !== 'slave',
    isCluster: info.cluster_enabled === '1',
    replicas: Number(info.connected_slaves ?? 0),
    aof: info.aof_enabled === '1',
    fsync,
    eviction: policy ?? info.maxmemory_policy,
    aofFailed: failed('aof_last_write_status'),
    snapshotFailed: failed('rdb_last_bgsave_status'),
    usedBytes: Number(info.used_memory ?? 0),
    limitBytes: Number(info.maxmemory ?? 0),
    now,
    tookMs,
  };
}

async function time(store: Store): Promise<{ now: number; tookMs: number }> {
  // The first request of a connection also waits until it is there.
  await store.run((redis) => redis.ping());
  const started = performance.now();
  const [seconds = 0, micros = 0] = await store.run((redis) => redis.time());
  return { now: Number(seconds) * 1000 + Number(micros) / 1000, tookMs: performance.now() - started };
}

/** Undefined where CONFIG is forbidden or unknown. */
const setting = (store: Store, name: string): Promise<string | undefined> =>
  store.run(async (redis) => {
    const reply = await redis.config('GET', name).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'ReplyError') return [];
      throw error;
    });
    return (reply as string[])[1];
  });

const parseInfo = (text: string): Record<string, string> =>
  Object.fromEntries(
    text.split(/\r?\n/).flatMap((line) => {
      const at = line.indexOf(':');
      return at > 0 && !line.startsWith('#') ? [[line.slice(0, at), line.slice(at + 1)]] : [];
    }),
  );
