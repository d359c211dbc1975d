// Could this Redis lose what it acknowledged? The same judgement at the start of each process and in `tourniquet doctor`.
import { broken, type Diagnosis, fine, warning } from '../../config/diagnosis.ts';
import type { RedisFacts } from './facts.ts';

const set = (name: string, value: string): string =>
  `In redis.conf write "${name} ${value}", or at once: redis-cli CONFIG SET ${name} ${value}. Of a managed Redis, set it in its parameters.`;

export function judgeDurability(facts: RedisFacts, waitForReplicas: number): Diagnosis[] {
  return [append(facts), fsync(facts), eviction(facts), replicas(facts, waitForReplicas)];
}

/** One line for each doubt, for logs and people; none where all is well. */
export const durabilityDoubts = (facts: RedisFacts, waitForReplicas: number): string[] =>
  judgeDurability(facts, waitForReplicas)
    .filter(({ status }) => status !== 'fine')
    .map(({ seen, remedy }) => `Redis: ${seen} ${remedy ?? ''}`.trim());

function append({ aof, aofFailed }: RedisFacts): Diagnosis {
  if (!aof)
    return broken(
      'append-only file',
      'appendonly is off, so a restart can lose incidents that were acknowledged.',
      set('appendonly', 'yes'),
    );
  if (aofFailed)
    return broken(
      'append-only file',
      'The last write of the append-only file failed, so Redis refuses new entries.',
      'Free space on the disk of Redis, and look at its log.',
    );
  return fine('append-only file', 'appendonly yes');
}

function fsync({ aof, fsync: how }: RedisFacts): Diagnosis {
  const name = 'fsync';
  if (how === 'always' && aof) return fine(name, 'appendfsync always');
  if (how === undefined)
    return warning(
      name,
      'It is not known how often Redis calls fsync, because it does not let us read its configuration.',
      'Make sure that appendfsync is "always". Many managed ones offer only "everysec": then a power cut can lose the last second, and a replica with redis.waitForReplicas: 1 makes up for it.',
    );
  if (how === 'always')
    return warning(
      name,
      'appendfsync is always, but without appendonly it does nothing.',
      'Set appendonly yes.',
    );
  return warning(
    name,
    `appendfsync is ${how}, so a power cut can lose the last second or more of what was acknowledged.`,
    set('appendfsync', 'always'),
  );
}

function eviction({ eviction: how }: RedisFacts): Diagnosis {
  const name = 'eviction';
  if (how === 'noeviction') return fine(name, 'maxmemory-policy noeviction');
  if (how === undefined)
    return warning(
      name,
      'It is not known whether Redis drops keys when its memory is full.',
      'Make sure that maxmemory-policy is "noeviction".',
    );
  return broken(
    name,
    `maxmemory-policy is ${how}: when its memory is full, Redis drops keys, parts of the incident log among them.`,
    set('maxmemory-policy', 'noeviction'),
  );
}

function replicas({ replicas: have }: RedisFacts, want: number): Diagnosis {
  const name = 'replicas';
  if (have < want)
    return broken(
      name,
      `redis.waitForReplicas is ${want}, but ${have} ${have === 1 ? 'replica is' : 'replicas are'} connected, so no alert is accepted.`,
      'Start the replicas, or lower redis.waitForReplicas.',
    );
  if (have === 0) return fine(name, 'None; a fail-over is not possible, so it cannot lose anything.');
  if (want === 0)
    return warning(
      name,
      `${have} connected, but an alert is acknowledged before they have it: a fail-over can lose it.`,
      'In the configuration file write:\nredis:\n  waitForReplicas: 1',
    );
  return fine(name, `${have} connected; each entry waits for ${want} (WAIT).`);
}
