// What there is to compare with: the same conditional write as one raw request or one kubectl process, and one durable write.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';
import { INVALID_SINCE, pointer } from '../src/domain/labels.ts';
import type { Leak, Stage } from './stage.ts';

const run = promisify(execFile);

export interface Rival {
  /** Milliseconds until the API server had carried out the write. */
  kill(leak: Leak): Promise<number>;
  close(): Promise<void>;
}

const USER = { namespace: 'tourniquet', serviceAccount: 'bench' };

/** Exactly what quarantine-token sends. */
const patchOf = ({ token }: Leak): string =>
  JSON.stringify([
    { op: 'test', path: '/data/token', value: Buffer.from(token).toString('base64') },
    {
      op: 'add',
      path: `/metadata/labels/${pointer(INVALID_SINCE)}`,
      value: new Date().toISOString().slice(0, 10),
    },
  ]);

export function rawRequest({ cluster, kills }: Stage): Rival {
  cluster.seed.serviceAccount(USER.namespace, USER.serviceAccount);
  const credential = cluster.seed.requestToken(USER.namespace, USER.serviceAccount, {
    expirationSeconds: 86_400,
  });
  const dispatcher = new Agent({ allowH2: true, connect: { ca: cluster.caPem } });
  return {
    async kill(leak) {
      const killed = kills.of(leak.path);
      const sentAt = performance.now();
      const response = await request(`${cluster.url}${leak.path}`, {
        dispatcher,
        method: 'PATCH',
        headers: {
          authorization: `Bearer ${credential}`,
          accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
          'content-type': 'application/json-patch+json',
        },
        body: patchOf(leak),
      });
      await response.body.dump();
      return (await killed).at - sentAt;
    },
    close: () => dispatcher.close(),
  };
}

/** Undefined where there is no kubectl on PATH. */
export async function kubectl({ cluster, kills }: Stage): Promise<(Rival & { version: string }) | undefined> {
  const version = await run('kubectl', ['version', '--client']).then(
    ({ stdout }) => /v\d\S*/.exec(stdout)?.[0] ?? 'unknown version',
    () => undefined,
  );
  if (version === undefined) return undefined;
  const directory = await mkdtemp(join(tmpdir(), 'tourniquet-bench-'));
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFile(kubeconfig, cluster.kubeconfig(USER));
  const flags = [`--kubeconfig=${kubeconfig}`, `--cache-dir=${join(directory, 'cache')}`];
  return {
    version,
    async kill(leak) {
      const [, namespace = '', name = ''] = /namespaces\/([^/]+)\/secrets\/(.+)$/.exec(leak.path) ?? [];
      const killed = kills.of(leak.path);
      const startedAt = performance.now();
      await run('kubectl', [
        ...flags,
        '-n',
        namespace,
        'patch',
        'secret',
        name,
        '--type=json',
        '-p',
        patchOf(leak),
      ]);
      return (await killed).at - startedAt;
    },
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

/** What each append to the incident log costs at the least. */
export function durableWrite({ world }: Stage): { write(): Promise<number>; close(): Promise<unknown> } {
  const redis = new Redis(world.redis.url);
  return {
    async write() {
      const startedAt = performance.now();
      await redis.set(`${world.redis.prefix}:bench`, '1');
      return performance.now() - startedAt;
    },
    close: () => redis.quit(),
  };
}
