// A shell as the on-call has it: in a directory of its own, with kubectl and the administrator's kubeconfig, typed into line by line.
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controlPlaneExecutable } from 'kube-sandbox/controlplane';

export interface Shell {
  directory: string;
  /** On the PATH: what is put there can be typed. */
  bin: string;
  /** Answers what was printed. Rejects, with what was said about it, where a line fails. */
  type(lines: string, env?: Record<string, string>): Promise<string>;
  close(): Promise<void>;
}

export async function openShell(kubeconfig: string): Promise<Shell> {
  const directory = await mkdtemp(join(tmpdir(), 'tourniquet-typed-'));
  await writeFile(join(directory, 'kubeconfig'), kubeconfig);
  const bin = join(directory, 'bin');
  await mkdir(bin);
  const kubectl = join(bin, 'kubectl');
  await writeFile(kubectl, `#!/bin/sh\nexec '${await controlPlaneExecutable()}' kubectl "$@"\n`);
  await chmod(kubectl, 0o755);
  const own = {
    PATH: `${bin}:${process.env.PATH ?? ''}`,
    HOME: directory,
    KUBECONFIG: join(directory, 'kubeconfig'),
  };
  return {
    directory,
    bin,
    type: (lines, env = {}) =>
      new Promise((resolve, reject) =>
        execFile(
          'sh',
          ['-e', '-c', lines],
          { cwd: directory, env: { ...own, ...env } },
          (error, out, stderr) => (error ? reject(new Error(`${lines}\n${stderr}`)) : resolve(out)),
        ),
      ),
    close: () => rm(directory, { recursive: true, force: true }),
  };
}
