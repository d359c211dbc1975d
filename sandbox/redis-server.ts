// The Redis server program of this machine: found on PATH, or installed where that is possible.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

export async function findServer(): Promise<string | undefined> {
  for (const directory of (process.env.PATH ?? '').split(delimiter))
    for (const name of ['redis-server', 'valkey-server']) {
      const path = join(directory, name);
      const usable = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (usable) return path;
    }
  return undefined;
}

export async function installServer(): Promise<string> {
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.error('No redis-server on PATH: installing it with apt-get.');
    const apt = (...words: string[]) =>
      execFileSync('apt-get', words, {
        stdio: ['ignore', 2, 2],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      });
    try {
      apt('update', '-q');
      apt('install', '-qy', '--no-install-recommends', 'redis-server');
    } catch {
      // The advice below covers it.
    }
  }
  const found = await findServer();
  if (found) return found;
  throw new Error(
    'There is no Redis to run with. Do one of these, then try again: install redis-server or valkey-server so that it is on ' +
      'PATH (Debian: apt-get install redis-server; macOS: brew install redis), or set REDIS_URL to one that runs.',
  );
}
