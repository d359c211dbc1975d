// With nothing but a kubeconfig: `tourniquet plan` reads a leaked token, and what it prints to paste kills it on a real API server.
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { controlPlaneExecutable } from 'kube-sandbox/controlplane';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RealWorldCluster, realCluster } from '../../sandbox/real-world.ts';
import { expectNoTrace, type Told } from '../cli/terminal.ts';
import { deploy, KINDS, leak, openSpace } from './leaks.ts';
import { answersTo } from './real-stage.ts';

const CLI = fileURLToPath(new URL('../../src/cli/tourniquet.js', import.meta.url));
let cluster: RealWorldCluster;
let directory: string;

beforeAll(async () => {
  cluster = await realCluster('prod')();
  directory = await mkdtemp(join(tmpdir(), 'tourniquet-pasted-'));
  await writeFile(join(directory, 'kubeconfig'), cluster.plane.adminKubeconfig);
  const kubectl = join(directory, 'kubectl');
  await writeFile(kubectl, `#!/bin/sh\nexec '${await controlPlaneExecutable()}' kubectl "$@"\n`);
  await chmod(kubectl, 0o755);
});
afterAll(async () => {
  await cluster?.close();
  if (directory) await rm(directory, { recursive: true, force: true });
});

/** In a directory and an environment that hold nothing but the kubeconfig. */
function start(file: string, args: string[], stdin: string): Promise<Told> {
  const env = {
    PATH: `${directory}:${process.env.PATH ?? ''}`,
    HOME: directory,
    KUBECONFIG: join(directory, 'kubeconfig'),
  };
  return new Promise((resolve) => {
    const child = execFile(file, args, { cwd: directory, env }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
    child.stdin?.end(stdin);
  });
}

const plan = (stdin: string, ...args: string[]): Promise<Told> =>
  start(process.execPath, [CLI, 'plan', ...args], stdin);

/** What stands between the heading and the last sentence, pasted into a shell as one piece. */
async function paste({ out }: Told): Promise<void> {
  const script = /in this order:\n\n(.*?)\n\nAfter that/s.exec(out)?.[1] ?? '';
  expect(script).toContain('kubectl --context');
  const told = await start('sh', ['-e'], script);
  if (told.code !== 0) throw new Error(`${script}\n${told.err}`);
}

const DIES_WITHIN_MS = 90_000;

test.each(KINDS)('a token that is %s is planned for, and dies when the lines are pasted', async (kind) => {
  const space = await openSpace(cluster.plane);
  const token = await leak(space, kind);
  const before = await plan(`Authorization: Bearer ${token}\n`);
  expect(before).toMatchObject({ code: 0, err: '' });
  expect(before.out).toMatch(/Does it still work\?\n +Yes/);
  expect(before.out).toContain('signature verified');
  expect(await answersTo(cluster, token)).toEqual([201]);
  await paste(before);
  await expect.poll(() => answersTo(cluster, token), { timeout: DIES_WITHIN_MS }).toEqual([401]);
  const after = await plan(token);
  expect(after.code).toBe(0);
  expect(after.out).toMatch(/Does it still work\?\n +No, it is dead/);
  expectNoTrace({ out: before.out + after.out, err: before.err + after.err }, token);
});

test('a ServiceAccount by name, with the Pods that must be made anew', async () => {
  const space = await openSpace(cluster.plane);
  const token = await leak(space, 'unbound');
  await deploy(cluster.plane, space);
  const told = await plan('', `${space.namespace}/checkout`, '--goal', 'rotate', '--strategy', 'recreate');
  expect(told.out).toMatch(/- Deployment\/\S+: \d of \d Pods ready/);
  await paste(told);
  await expect.poll(() => answersTo(cluster, token), { timeout: DIES_WITHIN_MS }).toEqual([401]);
});
