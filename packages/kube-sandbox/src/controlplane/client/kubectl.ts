// Runs kubectl with one kubeconfig and nothing else of this machine's configuration.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface KubectlResult {
  stdout: string;
  stderr: string;
  code: number;
}

/** `input` is what it reads as standard input, as for `apply -f -`. Never rejects because of a non-zero code. */
export type Kubectl = (args: string[], input?: string) => Promise<KubectlResult>;

export function createKubectl(
  command: string[],
  kubeconfigPath: string,
  env: Record<string, string | undefined>,
): Kubectl {
  const [program = 'kubectl', ...first] = command;
  return async (args, input = '') => {
    const child = spawn(program, [...first, `--kubeconfig=${kubeconfigPath}`, ...args], {
      env: { ...env, KUBECTL_KUBERC: 'false' },
      stdio: 'pipe',
    });
    // It need not read what it is given.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const [stdout, stderr] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    return { stdout, stderr, code: child.exitCode ?? 1 };
  };
}
