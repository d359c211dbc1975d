// A package started as its README says, by the very line, and ended again.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { commandBlocks } from '../command-blocks.ts';
import { ROOT, read } from '../structure/tree.ts';

/** A folder of its own inside the repository, where npm finds the workspaces and Node the packages. */
export async function ownFolder(): Promise<AsyncDisposable & { path: string }> {
  await mkdir(join(ROOT, '.cache'), { recursive: true });
  const path = await mkdtemp(join(ROOT, '.cache', 'packages-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** What the first TypeScript of the document prints. */
export async function runSample(document: string, cwd: string): Promise<string> {
  const [block] = commandBlocks(document, read(document), ['ts']);
  if (block === undefined) throw new Error(`${document} has no TypeScript.`);
  await writeFile(join(cwd, 'sample.ts'), block.text);
  const { stdout } = await promisify(execFile)(process.execPath, ['sample.ts'], { cwd });
  return stdout;
}

export interface Running extends AsyncDisposable {
  stdout: string;
}

/** Types a block of commands; resolves once it said on standard error where what it started is. */
export async function type(block: string, cwd: string): Promise<Running> {
  // A process group of its own: what npm starts ends with it.
  const shell = spawn('bash', ['-c', block], { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(shell, 'close');
  const running: Running = {
    stdout: '',
    async [Symbol.asyncDispose]() {
      if (shell.pid !== undefined && shell.exitCode === null) process.kill(-shell.pid, 'SIGTERM');
      await ended;
    },
  };
  shell.stdout.on('data', (text) => {
    running.stdout += text;
  });
  await saidWhere(shell, ended);
  return running;
}

async function saidWhere(shell: ChildProcess, ended: Promise<unknown>): Promise<void> {
  let said = '';
  await new Promise<void>((resolve, reject) => {
    shell.stderr?.on('data', (text) => {
      said += text;
      if (/ is at http/.test(said)) resolve();
    });
    ended.then(() => reject(new Error(`It ended before it was there: ${said}`)), reject);
  });
}
