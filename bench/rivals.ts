// What there is to compare with: the same conditional write as one raw request or one kubectl process, and one durable write.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';
import { INVALID_SINCE } from '../src/domain/kubernetes/legacy-token-labels.ts';
import { pointer } from '../src/domain/text/json-pointer.ts';
import type { Stage } from './stage.ts';
import type { Leak } from './target.ts';

const run = promisify(execFile);

export interface Rival {
  /** Milliseconds until the API server had carried out the write. */
  kill(leak: Leak): Promise<number>;
  close(): Promise<void>;
}

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

export async function rawRequest({ target }: Stage): Promise<Rival> {
  const credential = await target.credential();
  const dispatcher = new Agent({ allowH2: true, connect: { ca: target.caPem } });
  return {
    async kill(leak) {
      const killed = target.kills.of(leak.path);
      const sentAt = performance.now();
      const response = await request(`${target.url}${leak.path}`, {
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

/** The same write, typed. */
const PATCH = (name: string, leak: Leak): string[] => [
  'patch',
  'secret',
  name,
  '--type=json',
  '-p',
  patchOf(leak),
];
/** What a playbook says to type. */
const LABEL = (name: string): string[] => ['label', 'secret', name, `${INVALID_SINCE}=2026-01-01`];
const DELETE = (name: string): string[] => ['delete', 'secret', name, '--wait=false'];
export const TYPED = { patch: PATCH, label: LABEL, delete: DELETE };

export interface Kubectl {
  version: string;
  /** As a whole process. */
  type(what: keyof typeof TYPED): Rival['kill'];
  close(): Promise<void>;
}

/** Undefined where there is no kubectl. */
export async function kubectl({ target }: Stage): Promise<Kubectl | undefined> {
  const { command, close } = await target.kubectl();
  const [program = '', ...first] = command;
  const version = await run(program, [...first, 'version', '--client']).then(
    ({ stdout }) => /v\d\S*/.exec(stdout)?.[0] ?? 'unknown version',
    () => undefined,
  );
  if (version === undefined) {
    await close();
    return undefined;
  }
  return {
    version,
    type: (what) => async (leak) => {
      const [, namespace = '', name = ''] = /namespaces\/([^/]+)\/secrets\/(.+)$/.exec(leak.path) ?? [];
      const killed = target.kills.of(leak.path);
      const startedAt = performance.now();
      await run(program, [...first, '-n', namespace, ...TYPED[what](name, leak)]);
      return (await killed).at - startedAt;
    },
    close,
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
