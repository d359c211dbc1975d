// What the tests against a real Redis share: a world with a log, a vault and a clock that stands still until it is told.
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { openStore, type StoreOptions } from '../../../src/adapters/redis/connect.ts';
import { deriveKeys } from '../../../src/adapters/redis/derived-keys.ts';
import { createIncidentLog } from '../../../src/adapters/redis/incident-log.ts';
import { keySpace } from '../../../src/adapters/redis/key-space.ts';
import { createLedger } from '../../../src/adapters/redis/ledger.ts';
import { createLocks } from '../../../src/adapters/redis/locks.ts';
import { createVault } from '../../../src/adapters/redis/vault.ts';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import type { Log } from '../../../src/log.ts';
import { Secret } from '../../../src/secret.ts';

/** Waits until what is read is as expected, however slow the machine is. */
export const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 15_000 });

export interface Line {
  level: string;
  fields: Record<string, unknown>;
  message: string;
}

export function recordingLog(): Log & { lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...fields }, message });
  };
  const log = {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => log,
  };
  return log;
}

/** Three parts that look like a JWT; made at run time so that none stands in the tree. */
export function makeToken(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', kid: 'k' })}.${part({ sub: 'system:serviceaccount:shop:cart' })}.${randomBytes(64).toString('base64url')}`;
}

export const trouble = (message: string): EventBody => ({ type: 'trouble', work: 'investigate', message });

export function openWorld(
  redis: { url: string; prefix: string },
  options: StoreOptions = {},
  key = new Secret(randomBytes(32).toString('base64')),
) {
  const keys = deriveKeys(key);
  const clock = { at: 1_700_000_000_000, now: () => clock.at };
  const lines = recordingLog();
  const store = openStore(new Secret(redis.url), lines, options);
  const { prefix } = redis;
  const log = createIncidentLog({ store, prefix, keys, clock });
  const vault = createVault({ store, prefix, keys });
  let count = 0;
  return {
    key,
    keys,
    clock,
    lines: lines.lines,
    store,
    prefix,
    log,
    vault,
    ledger: createLedger({ store, prefix, keys }),
    locks: createLocks({ store, prefix }),
    space: keySpace(prefix),
    newId: () => `inc-${++count}`,
    /** Opens an incident with this many events. */
    async open(id: string, events = 1): Promise<string> {
      const bodies = Array.from({ length: events }, (_, i) => trouble(`event ${i + 1}`));
      const result = await log.append({ id, expected: 0, events: bodies, head: '' });
      if (result.kind !== 'appended') throw new Error(`not appended: ${result.kind}`);
      return result.head;
    },
    close: () => store.close(),
  };
}
