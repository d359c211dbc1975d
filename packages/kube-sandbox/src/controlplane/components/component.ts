// Runs one program of the control plane: with its own log, known to the undertaker, and ended by its process id.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Undertaker } from './undertaker.ts';

export interface Component {
  readonly pid: number;
  /** SIGKILL, as a node failure would; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Resolves when the condition holds; rejects with the end of the log where the program ends before, or takes too long. */
  until(condition: () => Promise<boolean>): Promise<void>;
}

const READY_MS = 60_000;
const LOOK_AGAIN_MS = 25;

/** Nothing of the caller's environment gets in: no kubeconfig, no proxy, no cloud credential. */
export const plainEnv = (directory: string): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  HOME: directory,
  TMPDIR: directory,
});

export interface ComponentRequest {
  executable: string;
  directory: string;
  undertaker: Undertaker;
  name: string;
  flags: string[];
}

export async function startComponent(request: ComponentRequest): Promise<Component> {
  const { executable, directory, undertaker, name, flags } = request;
  const logPath = join(directory, `${name}.log`);
  const log = openSync(logPath, 'a');
  // The first word picks the component; a second API server has a name of its own for its log.
  const child = spawn(executable, [name.replace(/-\d+$/, ''), ...flags], {
    cwd: directory,
    env: plainEnv(directory),
    stdio: ['ignore', log, log],
    detached: true,
  });
  if (child.pid !== undefined) undertaker.watch(child.pid);
  closeSync(log);
  child.unref();
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  return {
    pid,
    async kill() {
      await end(child);
      undertaker.forget(pid);
    },
    async until(condition) {
      const deadline = Date.now() + READY_MS;
      while (!(await condition())) {
        if (hasEnded(child)) throw await failure(`${name} ended before it was ready`, logPath);
        if (Date.now() > deadline)
          throw await failure(`${name} was not ready within ${READY_MS / 1000} s`, logPath);
        await delay(LOOK_AGAIN_MS);
      }
    },
  };
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  child.ref();
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function failure(what: string, logPath: string): Promise<Error> {
  const log = await readFile(logPath, 'utf8').catch(() => '');
  return new Error(`${what}. Its log ends with:\n${log.trimEnd().split('\n').slice(-15).join('\n')}`);
}
