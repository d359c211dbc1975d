// The part of the bot that takes alerts, in this process: its HTTP server, its incident log in a real Redis, and no Slack.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startRedis } from '../../sandbox/redis.ts';
import { startHttp } from '../../src/adapters/http/intake.ts';
import { createReplayGuard } from '../../src/adapters/redis/replay-guard.ts';
import { openShared } from '../../src/compose/shared.ts';
import { openTelemetry } from '../../src/compose/telemetry.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createFront } from '../../src/engine/door/create-front.ts';
import { createLog } from '../../src/log.ts';
import { sources } from '../../src/sources/index.ts';
import { newWhsec } from '../sources/signing.ts';

export async function startIntake() {
  const stack = new AsyncDisposableStack();
  const redis = await startRedis();
  stack.defer(() => redis.close());
  const directory = await mkdtemp(join(tmpdir(), 'tourniquet-cli-'));
  stack.defer(() => rm(directory, { recursive: true }));
  const env: Record<string, string> = {
    TOURNIQUET_CONFIG: join(directory, 'tourniquet.yaml'),
    REDIS_URL: redis.url,
    TOURNIQUET_KEY: randomBytes(32).toString('base64'),
    TOURNIQUET_SOURCE_REPORT: newWhsec(),
  };
  await writeFile(
    env.TOURNIQUET_CONFIG ?? '',
    stringify({
      slack: { channel: 'C012ABCDEF' },
      people: { approvers: ['U012ABCDEF'] },
      clusters: [{ name: 'prod' }],
      redis: { prefix: redis.prefix },
    }),
  );
  const config = loadConfig('worker', env);
  const log = createLog({ level: 'silent' });
  const assembly = { config, log, stack, graceMs: 1000 };
  const { deps, store, prefix, clock, problems } = openShared(assembly, await openTelemetry(assembly));
  const roster = { policy: deps.settings.policy, teamId: 'T1' };
  const nobody = () => Promise.reject(new Error('nobody asks here'));
  const front = createFront(deps, { roster, clusters: ['prod'], ask: nobody, health: problems });
  const http = await startHttp({
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 1_048_576,
    ...createReplayGuard({ store, prefix }),
    sources,
    secrets: config.sourceSecrets,
    toleranceMs: 60_000,
    clock,
    receive: front.report,
    update: front.update,
    ready: problems,
    log,
  });
  stack.defer(() => http.close());
  return {
    /** For the command line. */
    env: { ...env, TOURNIQUET_URL: `http://127.0.0.1:${http.port}` } as Record<string, string>,
    redis,
    front,
    deps,
    close: () => stack.disposeAsync(),
  };
}

export type Intake = Awaited<ReturnType<typeof startIntake>>;
