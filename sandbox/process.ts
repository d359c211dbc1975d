// Runs one role of Tourniquet as a process of its own, as in production, and keeps everything that it writes.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ROLE = fileURLToPath(new URL('./role.ts', import.meta.url));
/** A second on an idle machine; none is too busy. */
const READY_MS = 120_000;

export interface RoleProcess {
  readonly pid: number;
  ports: { http?: number; health?: number };
  /** SIGTERM, and wait. Answers the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL, as a node failure would. */
  kill(): Promise<void>;
  readonly running: boolean;
}

export interface RoleOptions {
  /** What to run in place of the sandbox's own, which ends with this process. */
  program?: string;
  /** Hears of the process before it is ready, which it may never be. */
  spawned?: (pid: number) => void;
}

/** `collect` gets all output, in order. Rejects with the output where the process ends before it is ready. */
export async function startRole(
  role: 'bot' | 'worker' | 'all',
  env: Record<string, string>,
  collect: (text: string) => void,
  { program = ROLE, spawned }: RoleOptions = {},
): Promise<RoleProcess> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [program, role], {
    env: { PATH, HOME, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  if (child.pid !== undefined) spawned?.(child.pid);
  const ports = await untilReady(child, role, collect);
  const exited = child.exitCode === null ? once(child, 'exit') : Promise.resolve([child.exitCode]);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    pid: child.pid ?? 0,
    ports,
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
    get running() {
      return child.exitCode === null && child.signalCode === null;
    },
  };
}

function untilReady(
  child: ChildProcess,
  role: string,
  collect: (text: string) => void,
): Promise<RoleProcess['ports']> {
  let seen = '';
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      child.kill('SIGKILL');
      reject(new Error(`The ${role} ${why}. It wrote:\n${seen.slice(-4000)}`));
    };
    const timer = setTimeout(() => fail(`was not ready within ${READY_MS / 1000} s`), READY_MS);
    let ready = false;
    const listen = (chunk: Buffer): void => {
      const text = chunk.toString();
      collect(text);
      if (ready) return;
      seen = (seen + text).slice(-20_000);
      const line = seen.split('\n').find((candidate) => candidate.includes('"msg":"ready"'));
      if (!line) return;
      ready = true;
      clearTimeout(timer);
      resolve((JSON.parse(line) as { ports: RoleProcess['ports'] }).ports);
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    child.once('exit', (code) => fail(`ended with code ${code}`));
    child.once('error', (error) => fail(`could not be started: ${error.message}`));
  });
}
