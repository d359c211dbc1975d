// Runs etcd, and copies its data for a clone.
import { cp, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from 'undici';
import { SIGNING_KEY } from './files.ts';
import { etcdFlags } from './flags.ts';
import type { Workplace } from './workplace.ts';

/** A copy of the data and of the signing key, which lives until the control plane that it was made of is closed. */
export interface Snapshot {
  readonly directory: string;
}

export interface Storage {
  readonly port: number;
  start(): Promise<void>;
  copy(): Promise<Snapshot>;
  /** Forgets everything but the present, as an API server asks for every five minutes. */
  compact(): Promise<void>;
}

export function createStorage(place: Workplace, [port = 0, peerPort = 0]: number[]): Storage {
  const { directory } = place;
  const start = async (): Promise<void> => {
    const etcd = await place.start('etcd', etcdFlags(directory, port, peerPort));
    await etcd.until(() => isHealthy(port));
  };
  return {
    port,
    start,
    async copy() {
      const target = await mkdtemp(join(directory, 'snapshot-'));
      // etcd survives a kill, so what it leaves on disk is whole; what it leaves while it writes may not be.
      await place.running('etcd')?.kill();
      await cp(join(directory, 'etcd'), join(target, 'etcd'), { recursive: true });
      await cp(join(directory, SIGNING_KEY), join(target, SIGNING_KEY));
      await start();
      return { directory: target };
    },
    async compact() {
      const { header } = await ask<{ header: { revision: string } }>(port, 'kv/range', { key: 'AA==' });
      await ask(port, 'kv/compaction', { revision: header.revision, physical: true });
    },
  };
}

/** etcd's JSON gateway; keys are base64. */
async function ask<T>(port: number, path: string, body: object): Promise<T> {
  const answer = await request(`http://127.0.0.1:${port}/v3/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  if (answer.statusCode !== 200)
    throw new Error(`etcd answered ${answer.statusCode}: ${await answer.body.text()}`);
  return (await answer.body.json()) as T;
}

async function isHealthy(port: number): Promise<boolean> {
  try {
    const answer = await request(`http://127.0.0.1:${port}/health`);
    const { health } = (await answer.body.json()) as { health?: string };
    return health === 'true';
  } catch {
    return false;
  }
}
