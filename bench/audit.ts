// How long the daily anchor and `audit verify --all` take over many incidents, and in how much memory: each in a process of its own.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startOwnRedis } from '../sandbox/redis.ts';
import { macOf } from '../src/adapters/redis/chain.ts';
import { openStore, type Store } from '../src/adapters/redis/connect.ts';
import { deriveKeys } from '../src/adapters/redis/derived-keys.ts';
import { createIncidentLog } from '../src/adapters/redis/incident-log.ts';
import { keySpace } from '../src/adapters/redis/key-space.ts';
import { createLedger } from '../src/adapters/redis/ledger.ts';
import { createLocks } from '../src/adapters/redis/locks.ts';
import { verifyAll } from '../src/cli/audit/all.ts';
import { anchorDaily } from '../src/engine/keep/anchors.ts';
import { createLog } from '../src/log.ts';
import { Secret } from '../src/secret.ts';

const { values } = parseArgs({
  options: {
    incidents: { type: 'string', default: '100000' },
    /** Of each incident, each of about 400 bytes. */
    events: { type: 'string', default: '8' },
    does: { type: 'string' },
  },
});
const [incidents, events] = [Number(values.incidents), Number(values.events)];
if (!(incidents > 0 && events > 0)) throw new Error('--incidents and --events are numbers above 0.');

const DAY = 86_400_000;
const PREFIX = 'tourniquet-audit';
/** What is measured may not take more, so that a change that makes it quadratic fails here. */
const MOST = { seconds: 60, megabytes: 300 };

const clock = { now: () => Date.now() };

function open() {
  const { AUDIT_BENCH_REDIS = '', AUDIT_BENCH_KEY = '' } = process.env;
  const store = openStore(new Secret(AUDIT_BENCH_REDIS), createLog({ level: 'silent' }));
  const parts = { store, prefix: PREFIX, keys: deriveKeys(new Secret(AUDIT_BENCH_KEY)) };
  return {
    ...parts,
    clock,
    log: createIncidentLog({ ...parts, clock }),
    ledger: createLedger(parts),
    locks: createLocks(parts),
  };
}

const WORK: Record<string, (opened: ReturnType<typeof open>) => Promise<string>> = {
  async anchor(opened) {
    await anchorDaily(opened, DAY);
    return `${(await opened.ledger.end()).version} entries`;
  },
  async verify({ log, keys }) {
    const { intact, lines } = await verifyAll(log, keys.chain);
    if (!intact) throw new Error(lines.join('\n'));
    return lines[0] ?? '';
  },
};

/** In a process of its own, so that its memory is its own. */
async function measure(does: string): Promise<void> {
  const args = [fileURLToPath(import.meta.url), '--does', does];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${does} failed.`);
  const { seconds, cpu, megabytes, says } = JSON.parse(out) as Record<string, number>;
  console.log(`${does.padEnd(8)} ${seconds} s, ${cpu} s of CPU, at most ${megabytes} MB: ${says}`);
  if ((seconds ?? 0) > MOST.seconds || (megabytes ?? 0) > MOST.megabytes)
    throw new Error(`${does} took more than ${MOST.seconds} s or ${MOST.megabytes} MB.`);
}

async function work(does: string): Promise<void> {
  const began = performance.now();
  const opened = open();
  const says = await WORK[does]?.(opened);
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const seconds = Math.round(performance.now() - began) / 1000;
  const cpu = Math.round((userCPUTime + systemCPUTime) / 1000) / 1000;
  await opened.store.close();
  console.log(JSON.stringify({ seconds, cpu, megabytes: Math.round(maxRSS / 1024), says }));
}

/** As the product would write them, but many in one request. */
async function seed(store: Store, chain: Buffer): Promise<void> {
  const space = keySpace(PREFIX);
  const words = randomBytes(150).toString('hex');
  const opened = Date.now() - 2 * DAY;
  for (let from = 0; from < incidents; from += 1000) {
    const ids = Array.from({ length: Math.min(1000, incidents - from) }, (_, i) =>
      (from + i).toString(16).padStart(10, '0'),
    );
    await store.run((redis) => {
      const all = redis.pipeline();
      for (const id of ids) {
        all.rpush(space.log(id), ...entriesOf(chain, id, opened, words));
        all
          .zadd(space.incidents, opened, id)
          .sadd(space.unanchored, id)
          .hset(space.cursors(id), 'slack', events);
      }
      return all.exec();
    });
  }
}

function entriesOf(chain: Buffer, id: string, opened: number, words: string): string[] {
  let mac = '';
  return Array.from({ length: events }, (_, i) => {
    const event = {
      v: i + 1,
      at: new Date(opened + i).toISOString(),
      type: 'trouble',
      work: 'prove',
      message: words,
    };
    const text = JSON.stringify(event);
    mac = macOf(chain, mac, id, text);
    return `${mac} ${text}`;
  });
}

async function main(): Promise<void> {
  const redis = await startOwnRedis({ settings: { appendonly: 'no', save: '' } });
  process.env.AUDIT_BENCH_REDIS = redis.url;
  process.env.AUDIT_BENCH_KEY = randomBytes(32).toString('base64');
  try {
    const { store, keys } = open();
    await seed(store, keys.chain);
    await store.close();
    console.log(`${incidents} incidents of ${events} events each.`);
    // The first anchor names all; the next day nothing has changed.
    for (const does of ['anchor', 'verify']) await measure(does);
  } finally {
    await redis.close();
  }
}

await (values.does === undefined ? main() : work(values.does));
