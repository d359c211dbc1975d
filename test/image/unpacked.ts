// A folder with exactly the files that the image would hold, made by the steps of the Dockerfile, and its processes.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { execForm, filesOf, healthCommand, type Stage, stagesOf, textsOf } from '../structure/dockerfile.ts';
import { ROOT, read } from '../structure/tree.ts';

const run = promisify(execFile);
const [build, image] = stagesOf(read('Dockerfile')) as [Stage, Stage];
const isRoot = process.getuid?.() === 0;

export interface Ended {
  code: number | null;
  output: string;
}

export interface Started {
  ports: { http?: number; health?: number };
  /** As Kubernetes does. */
  terminate(): Promise<Ended>;
}

export interface Unpacked {
  directory: string;
  /** The image's ENTRYPOINT, as its user, with nothing else in the environment. */
  runToEnd(role: string, env: Record<string, string>): Promise<Ended>;
  start(role: string, env: Record<string, string>): Promise<Started>;
  /** A line of CommonJS, as the image's user. */
  evaluate(code: string): Promise<Ended>;
  /** The exit code of HEALTHCHECK, for these ports in place of the default ones. */
  health(ports: number[]): Promise<number | null>;
  close(): Promise<void>;
}

export async function unpack(): Promise<Unpacked> {
  const directory = await mkdtemp(join(tmpdir(), 'tourniquet-image-'));
  const app = join(directory, 'app');
  await chmod(directory, 0o755);
  await put(build, app);
  const [program = '', ...args] = (textsOf(build, 'RUN')[0] ?? '').split(' ');
  await run(program, args, { cwd: app });
  await rm(join(app, 'package-lock.json'));
  await rm(join(app, '.npmrc'));
  await put(image, app);
  // The image's own Node, in a place that nobody may reach who is not root.
  const node = join(directory, 'node');
  await copyFile(process.execPath, node);
  // Root owns all of it and another user runs; where the tests are not run by root, nothing may be written at all.
  if (!isRoot) await run('chmod', ['--recursive', 'a-w', app]);
  return {
    ...processes(app, node),
    directory: app,
    async close() {
      await run('chmod', ['--recursive', 'u+w', app]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function put(stage: Stage, app: string): Promise<void> {
  for (const [from, to] of filesOf(stage)) {
    await mkdir(dirname(join(app, to)), { recursive: true });
    await cp(join(ROOT, from), join(app, to));
  }
}

function processes(cwd: string, node: string): Pick<Unpacked, 'runToEnd' | 'start' | 'evaluate' | 'health'> {
  const [uid, gid] = (textsOf(image, 'USER')[0] ?? '').split(':').map(Number);
  const asUser = isRoot && uid !== undefined && gid !== undefined ? { uid, gid } : {};
  const [, ...entry] = execForm(textsOf(image, 'ENTRYPOINT')[0] ?? '') ?? [];
  const spawned = (args: string[], env: Record<string, string>): ChildProcess =>
    spawn(node, args, {
      cwd,
      env: { NODE_ENV: 'production', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...asUser,
    });
  const start = (role: string, env: Record<string, string>) => spawned([...entry, role], env);
  return {
    runToEnd: (role, env) => ended(start(role, env)),
    start: (role, env) => ready(start(role, env)),
    evaluate: (code) => ended(spawned(['--eval', code], {})),
    async health(ports) {
      const [, ...args] = healthCommand(image) ?? [];
      const child = spawned(
        args.map((arg) => arg.replace('[8080, 8081]', JSON.stringify(ports))),
        {},
      );
      return (await ended(child)).code;
    },
  };
}

function collect(child: ChildProcess): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  return () => output;
}

async function ended(child: ChildProcess): Promise<Ended> {
  const output = collect(child);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: output() };
}

async function ready(child: ChildProcess): Promise<Started> {
  const output = collect(child);
  const closed = once(child, 'close') as Promise<[number | null]>;
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const found = output()
        .split('\n')
        .slice(0, -1)
        .find((one) => one.includes('"msg":"ready"'));
      if (found) resolve(found);
    });
    closed.then(([code]) => reject(new Error(`It ended with code ${code}:\n${output()}`)), reject);
  });
  return {
    ...(JSON.parse(line) as Pick<Started, 'ports'>),
    async terminate() {
      child.kill('SIGTERM');
      const [code] = await closed;
      return { code, output: output() };
    },
  };
}
