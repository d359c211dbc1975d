// What the image would hold starts as the image would start it: not as root, where nothing may be written, and without a shell.
import { existsSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../../sandbox/world.ts';
import { read } from '../structure/tree.ts';
import { type Unpacked, unpack } from './unpacked.ts';

let image: Unpacked;
let world: World;

beforeAll(async () => {
  [image, world] = await Promise.all([unpack(), startWorld()]);
  // The configuration is mounted where the image's user may read it.
  await chmod(dirname(world.env.TOURNIQUET_CONFIG ?? ''), 0o755);
});
afterAll(async () => {
  await world?.close();
  await image?.close();
});

test('holds the packages that the lock does not mark for development, and no others', async () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { dev?: boolean; link?: boolean; resolved?: string }>;
  };
  const development = Object.keys(packages).filter((path) => packages[path]?.dev === true);
  expect(development).toContain('node_modules/vitest');
  expect(development.filter((path) => existsSync(join(image.directory, path)))).toEqual([]);
  expect(existsSync(join(image.directory, 'node_modules/fastify'))).toBe(true);
  const links = Object.keys(packages).filter((path) => packages[path]?.link === true);
  expect(links).toContain('node_modules/slack-sandbox');
  const ours = [...links, ...links.map((path) => packages[path]?.resolved ?? '')];
  expect(ours.filter((path) => existsSync(join(image.directory, path)))).toEqual([]);
});

test('lets its user write nowhere', async () => {
  const { code, output } = await image.evaluate('require("node:fs").writeFileSync("src/main.ts", "")');
  expect(output).toMatch(/EACCES|EROFS/);
  expect(code).toBe(1);
});

test('asks for a role where none is named', async () => {
  const { code, output } = await image.runToEnd('', {});
  expect(code).toBe(2);
  expect(output).toMatch(/bot \| worker/);
});

test.each(['bot', 'worker'])('the %s lists every problem of a bad configuration, and ends', async (role) => {
  const { code, output } = await image.runToEnd(role, {
    TOURNIQUET_CONFIG: '/nowhere.yaml',
    TOURNIQUET_KEY: 'short',
  });
  expect(code).toBe(1);
  for (const problem of ['TOURNIQUET_CONFIG', 'REDIS_URL', 'TOURNIQUET_KEY'])
    expect(output).toContain(`  - ${problem}: `);
  expect(output.includes('SLACK_BOT_TOKEN')).toBe(role === 'bot');
  expect(output).not.toMatch(/^\s+at /m);
});

test.each(['worker', 'bot'] as const)(
  'the %s becomes ready, answers its health check, and ends at SIGTERM',
  async (role) => {
    const started = await image.start(role, world.env);
    const port = started.ports.http ?? started.ports.health ?? 0;
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
      expect(answer.status).toBe(200);
      await answer.body?.cancel();
      // One of the two ports is the other role's, which does not run in this container.
      expect(await image.health([1, port])).toBe(0);
      expect(await image.health([1, 2])).toBe(1);
    } finally {
      const { code, output } = await started.terminate();
      expect(output).not.toMatch(/EACCES|EROFS|EPERM/);
      expect(code).toBe(0);
    }
  },
);
