// Redis: can it be used, would it lose what it acknowledged, and was the log that is in it written with this key?
import { checkChain } from '../../adapters/redis/chain.ts';
import { openStore, type Store } from '../../adapters/redis/connect.ts';
import { deriveKeys } from '../../adapters/redis/derived-keys.ts';
import { judgeDurability } from '../../adapters/redis/durability.ts';
import { type RedisFacts, readRedisFacts } from '../../adapters/redis/facts.ts';
import { createIncidentLog } from '../../adapters/redis/incident-log.ts';
import { broken, type Diagnosis, fine, notChecked, warning } from '../../config/diagnosis.ts';
import { parseRedisUrl } from '../../config/redis-url.ts';
import { isAppError } from '../../errors.ts';
import type { Secret } from '../../secret.ts';
import { type Check, failed, type Given, plural } from './check.ts';

const NAME = 'connection';
/** What BullMQ recommends. */
const OLDEST = [6, 2] as const;
const MEGABYTE = 1_048_576;

export const redis: Check = {
  group: 'Redis',
  async run(given) {
    const { secrets, file } = given.reading;
    const { redisUrl } = secrets;
    if (redisUrl === undefined || parseRedisUrl(redisUrl.reveal()) === undefined)
      return [notChecked(NAME, 'There is no valid REDIS_URL.')];
    if (file.redis === undefined)
      return [notChecked(NAME, 'The section redis of the configuration could not be read.')];
    let store: Store | undefined;
    try {
      store = openStore(redisUrl, given.log, { ...file.redis, waitForReplicas: 0 });
      return await look(store, given, redisUrl, file.redis);
    } catch (error) {
      return [
        failed(
          NAME,
          error,
          'Check REDIS_URL, that Redis runs, and the way to it: redis-cli -u "$REDIS_URL" ping',
        ),
      ];
    } finally {
      await store?.close();
    }
  },
};

async function look(
  store: Store,
  given: Given,
  url: Secret,
  { prefix, waitForReplicas }: { prefix: string; waitForReplicas: number },
): Promise<Diagnosis[]> {
  const facts = await patiently(() => readRedisFacts(store));
  return [
    judgeServer(facts),
    judgeWay(url),
    ...judgeDurability(facts, waitForReplicas),
    judgeMemory(facts),
    judgeClock(facts, given.now()),
    await judgeKey(store, given, prefix),
    // Last: where Redis refuses it, the connection may be made anew.
    await tryWriting(store, prefix),
  ];
}

const ATTEMPTS = 3;

/** A server far away may need longer for a first connection than a waiting sender is given. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === ATTEMPTS || !isAppError(error) || !error.retry) throw error;
    }
  }
}

function judgeServer({ version, isPrimary, isCluster }: RedisFacts): Diagnosis {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (isCluster)
    return broken(
      NAME,
      'This is a Redis Cluster, which cannot run our scripts over several keys.',
      'Use a single primary, with replicas and Sentinels if you like, or a managed Redis without cluster mode.',
    );
  if (!isPrimary)
    return broken(
      NAME,
      'This server is a replica, which takes no writes.',
      'Name the primary in REDIS_URL, or let Sentinels name it: redis+sentinel://host1:26379,host2:26379/mymaster',
    );
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
    return broken(NAME, `Redis ${version} is too old.`, `Use Redis ${OLDEST.join('.')} or newer, or Valkey.`);
  return fine(NAME, `Redis ${version}`);
}

function judgeWay(url: Secret): Diagnosis {
  const name = 'way to it';
  const { tls, hosts = [], password } = parseRedisUrl(url.reveal()) ?? {};
  const near = hosts.every(({ host }) => /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host));
  if (near) return fine(name, 'on this machine');
  if (!tls)
    return warning(
      name,
      'Redis is reached over the network in the clear: whoever listens reads incidents and the password.',
      'Use rediss:// (redis.caFile for an authority of your own), or make sure that only these Pods reach it.',
    );
  if (password === undefined)
    return warning(
      name,
      'REDIS_URL has no password: whoever reaches Redis can delete incidents and stop everything.',
      'Set one in Redis (requirepass, or an ACL user) and in REDIS_URL.',
    );
  return fine(name, 'over TLS, with a password');
}

function judgeMemory({ usedBytes, limitBytes }: RedisFacts): Diagnosis {
  const used = `${Math.round(usedBytes / MEGABYTE)} MB`;
  if (limitBytes === 0) return fine('memory', `${used} used, without a limit in Redis`);
  const percent = Math.round((100 * usedBytes) / limitBytes);
  const seen = `${used} of ${Math.round(limitBytes / MEGABYTE)} MB used (${percent} %)`;
  const remedy = 'Give Redis more memory (maxmemory), or find out what else fills it: redis-cli --bigkeys';
  if (percent >= 95) return broken('memory', `${seen}: it soon refuses new alerts.`, remedy);
  return percent >= 80 ? warning('memory', `${seen}.`, remedy) : fine('memory', seen);
}

const LARGEST_SKEW_MS = 1000;

function judgeClock({ now, tookMs }: RedisFacts, here: number): Diagnosis {
  const skew = here - now - tookMs / 2;
  const seconds = Math.round(Math.abs(skew) / 100) / 10;
  if (Math.abs(skew) <= LARGEST_SKEW_MS) return fine('clock', 'this machine and Redis agree');
  return warning(
    'clock',
    `This machine's clock is ${plural(seconds, 'second')} ${skew > 0 ? 'ahead of' : 'behind'} that of Redis, and times on cards and in the log are those of Redis.`,
    'Let both set their clocks by NTP; look with: timedatectl',
  );
}

/** One key that is gone again within a second: only writing shows that writing works. */
async function tryWriting(store: Store, prefix: string): Promise<Diagnosis> {
  const script = "return redis.call('SET', KEYS[1], '1', 'PX', 1000)";
  try {
    await store.run((connection) => connection.eval(script, 1, `${prefix}:doctor`));
    return fine('writing', `a key and a script under ${prefix}: work`);
  } catch (error) {
    return failed(
      'writing',
      error,
      'Look at the log of Redis, and at the rights of its user: redis-cli ACL LIST',
    );
  }
}

const LATEST = 5;

async function judgeKey(store: Store, { reading, now }: Given, prefix: string): Promise<Diagnosis> {
  const name = 'key and log';
  const { key } = reading.secrets;
  if (key === undefined || Buffer.from(key.reveal(), 'base64').length !== 32)
    return notChecked(name, 'There is no valid TOURNIQUET_KEY.');
  const keys = deriveKeys(key);
  try {
    const log = createIncidentLog({ store, prefix, keys, clock: { now } });
    const ids = await log.list(LATEST);
    const checks = await Promise.all(
      ids.map(async (id) => {
        const check = checkChain(keys.chain, id, (await log.trail(id)).entries);
        return { id, at: check.intact ? 0 : check.entry };
      }),
    );
    return judgeChains(name, checks, prefix);
  } catch (error) {
    if (!isAppError(error)) throw error;
    return failed(name, error, 'See the other lines about Redis.');
  }
}

/** `at`: the first entry that does not fit; 0: all do. */
function judgeChains(name: string, checks: { id: string; at: number }[], prefix: string): Diagnosis {
  const wrong = checks.filter(({ at }) => at > 0);
  const [first] = wrong;
  if (first === undefined)
    return fine(
      name,
      checks.length === 0 ? 'no incident yet' : `verified: the latest ${plural(checks.length, 'incident')}`,
    );
  if (first.at > 1)
    return broken(
      name,
      `The log of incident ${first.id} is damaged at entry ${first.at}.`,
      `Nothing is done with it until a person has looked: tourniquet audit verify ${first.id}`,
    );
  const some = wrong.length < checks.length;
  return broken(
    name,
    some
      ? `Of the latest ${checks.length} incidents under the prefix ${prefix}, ${wrong.length} were written with another TOURNIQUET_KEY: two keys are in use.`
      : `The incidents under the prefix ${prefix} were written with another TOURNIQUET_KEY.`,
    'Give every bot and worker the same TOURNIQUET_KEY. For a second installation in the same Redis, set another redis.prefix.',
  );
}
