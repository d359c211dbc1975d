// A real Redis for the demo and the tests: yours by REDIS_URL under a private prefix, else one of its own that dies with this process.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findServer, installServer } from './redis-server.ts';

export interface SandboxRedis {
  url: string;
  /** Begin every key with it. */
  prefix: string;
  close(): Promise<void>;
}

/** A server of our own, which tests may kill. */
export interface OwnRedis extends SandboxRedis {
  port: number;
  pid(): number;
  /** SIGKILL, as a power cut would; the directory stays. */
  kill(): Promise<void>;
  /** Starts it again on the same port and directory. */
  restart(): Promise<void>;
}

export interface OwnRedisOptions {
  /** Over those that a durable server has. */
  settings?: Record<string, string>;
  /** Speaks TLS alone, with this certificate; PEM. */
  tls?: { certPem: string; keyPem: string; caPem: string };
  /** A Sentinel that watches the primary on this port, and with this name. */
  sentinel?: { name: string; port: number };
}

const START_MS = 10_000;

export function startRedis(): Promise<SandboxRedis> {
  const url = process.env.REDIS_URL;
  return url ? borrowRedis(url) : startOwnRedis();
}

const newPrefix = () => `tourniquet-${randomBytes(4).toString('hex')}`;

async function borrowRedis(url: string): Promise<SandboxRedis> {
  const prefix = newPrefix();
  const redis = new Redis(url, { maxRetriesPerRequest: 1, lazyConnect: true });
  redis.on('error', () => undefined);
  try {
    await redis.ping();
  } catch (cause) {
    redis.disconnect();
    throw new Error(
      'REDIS_URL is set, but no Redis answers there. Start it, or unset REDIS_URL to get a private one.',
      {
        cause,
      },
    );
  }
  return {
    url,
    prefix,
    async close() {
      for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 500 }))
        if (keys.length > 0) await redis.unlink(keys);
      await redis.quit();
    },
  };
}

export async function startOwnRedis(options: OwnRedisOptions = {}): Promise<OwnRedis> {
  const program = (await findServer()) ?? (await installServer());
  const directory = await mkdtemp(join(tmpdir(), 'tourniquet-redis-'));
  const undertaker = startUndertaker(directory);
  const launch = async (port: number) => {
    const words = await serverArguments(port, directory, options);
    const server = spawn(program, words, { stdio: 'ignore', detached: true });
    server.unref();
    await once(server, 'spawn');
    undertaker.stdin?.write(`${server.pid}\n`);
    await ready(server, port, options.tls?.caPem);
    return server;
  };
  const stop = async (server: ChildProcess) => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.ref();
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
  };
  const bury = async () => {
    await rm(directory, { recursive: true, force: true });
    undertaker.kill('SIGKILL');
  };
  try {
    const port = await freePort();
    let server = await launch(port);
    return {
      url: options.tls ? `rediss://localhost:${port}` : `redis://127.0.0.1:${port}`,
      port,
      prefix: newPrefix(),
      pid: () => server.pid ?? 0,
      kill: () => stop(server),
      async restart() {
        await stop(server);
        server = await launch(port);
      },
      async close() {
        await stop(server);
        await bury();
      },
    };
  } catch (error) {
    await bury();
    throw error;
  }
}

async function serverArguments(
  port: number,
  directory: string,
  { settings = {}, tls, sentinel }: OwnRedisOptions,
): Promise<string[]> {
  if (sentinel) return sentinelArguments(port, directory, sentinel);
  const certificates = tls && {
    port: '0',
    'tls-port': String(port),
    'tls-cert-file': await keep(directory, 'cert.pem', tls.certPem),
    'tls-key-file': await keep(directory, 'key.pem', tls.keyPem),
    'tls-ca-cert-file': await keep(directory, 'ca.pem', tls.caPem),
    'tls-auth-clients': 'no',
  };
  return Object.entries({
    port: String(port),
    bind: '127.0.0.1',
    dir: directory,
    save: '',
    appendonly: 'yes',
    // An event that was acknowledged must survive a power cut.
    appendfsync: 'always',
    'maxmemory-policy': 'noeviction',
    ...certificates,
    ...settings,
  }).flatMap(([name, value]) => [`--${name}`, value]);
}

/** A Sentinel writes what it learns into its file; one alone decides, and soon. */
async function sentinelArguments(
  port: number,
  directory: string,
  { name, port: primary }: NonNullable<OwnRedisOptions['sentinel']>,
): Promise<string[]> {
  const file = await keep(
    directory,
    'sentinel.conf',
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${directory}`,
      `sentinel monitor ${name} 127.0.0.1 ${primary} 1`,
      `sentinel down-after-milliseconds ${name} 400`,
      `sentinel failover-timeout ${name} 4000`,
      '',
    ].join('\n'),
  );
  return [file, '--sentinel'];
}

async function keep(directory: string, name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

/** Answers PING, and is the process that we started: another one may have taken the port in between. */
async function ready(server: ChildProcess, port: number, caPem: string | undefined): Promise<void> {
  const redis = new Redis(port, 'localhost', {
    family: 4,
    ...(caPem !== undefined && { tls: { ca: caPem } }),
    maxRetriesPerRequest: null,
    retryStrategy: () => 10,
    maxLoadingRetryTime: 10,
  });
  redis.on('error', () => undefined);
  const deadline = AbortSignal.timeout(START_MS);
  const failed = once(server, 'exit', { signal: deadline }).then(
    () => 'it exited at once',
    () => `it did not answer within ${START_MS / 1000} s`,
  );
  try {
    const outcome = await Promise.race([failed, redis.info('server')]);
    if (!outcome.includes(`process_id:${server.pid}`)) {
      server.kill('SIGKILL');
      throw new Error(
        `redis-server could not be started on port ${port}: ${outcome.split('\n')[0]}. Try again.`,
      );
    }
  } finally {
    redis.disconnect();
  }
}

/** Outlives this process however that ends, kills the server whose pid it was told last, and removes its directory. */
function startUndertaker(directory: string): ChildProcess {
  const program = `
    let told = '';
    process.stdin.on('data', (text) => { told += text; });
    process.stdin.on('end', () => {
      const pid = Number(told.trim().split('\\n').at(-1));
      try { if (pid > 0) process.kill(pid, 'SIGKILL'); } catch {}
      require('node:fs').rmSync(process.argv[1], { recursive: true, force: true, maxRetries: 5 });
    });`;
  const undertaker = spawn(process.execPath, ['-e', program, directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  undertaker.unref();
  // The pipe alone must not keep this process alive.
  (undertaker.stdin as unknown as { unref(): void }).unref();
  return undertaker;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string')
    throw new Error('No free port on 127.0.0.1. Close some programs, then try again.');
  return address.port;
}
