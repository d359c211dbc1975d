// Outlives this process however that ends, kill -9 included, so that no component and no data directory stays behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Undertaker {
  readonly pid: number;
  /** Tells it at once, before anything else can happen to this process. */
  watch(pid: number): void;
  forget(pid: number): void;
  /** Does its work now; resolves when it is done. */
  finish(): Promise<void>;
}

/** Its standard input ends with this process. Then the newest component goes first, because etcd came first. */
const PROGRAM = `
  let told = '';
  process.stdin.on('data', (text) => { told += text; });
  process.stdin.on('end', () => {
    const alive = new Set();
    for (const [, sign, pid] of told.matchAll(/([+-])(\\d+)\\n/g))
      sign === '+' ? alive.add(Number(pid)) : alive.delete(Number(pid));
    for (const pid of [...alive].reverse()) try { process.kill(pid, 'SIGKILL'); } catch {}
    require('node:fs').rmSync(process.argv[1], { recursive: true, force: true, maxRetries: 5 });
  });`;

export function startUndertaker(directory: string): Undertaker {
  const child = spawn(process.execPath, ['-e', PROGRAM, directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // In a process group of its own: Ctrl-C is for the parent, whose end it then notices.
    detached: true,
  });
  child.unref();
  child.on('error', () => undefined);
  // Neither the pipe alone nor a broken one may keep this process alive or end it.
  (child.stdin as unknown as { unref(): void }).unref();
  child.stdin.on('error', () => undefined);
  return {
    pid: child.pid ?? 0,
    watch: (pid) => void child.stdin.write(`+${pid}\n`),
    forget: (pid) => void child.stdin.write(`-${pid}\n`),
    async finish() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.ref();
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
}
