// What a playbook says to type, typed without a pause: one kubectl after another, and one workload after another.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { INVALID_SINCE } from '../src/domain/kubernetes/legacy-token-labels.ts';
import { nameOf, OLD_SECRET, tokenSecret } from './rotation-set.ts';

const run = promisify(execFile);

export interface Typed {
  startedAt: number;
  /** The last `rollout status` came back. */
  rolledAt: number;
  /** The old token was switched off. */
  endedAt: number;
}

/** `command`: kubectl with its kubeconfig. */
export async function typePlaybook(
  command: readonly string[],
  namespace: string,
  workloads: number,
): Promise<Typed> {
  const [program = '', ...first] = command;
  const kubectl = async (args: string[], input?: string): Promise<void> => {
    const running = run(program, [...first, '-n', namespace, ...args]);
    running.child.stdin?.end(input ?? '');
    await running;
  };
  const fresh = `${OLD_SECRET}-2`;
  const patch = JSON.stringify([
    { op: 'replace', path: '/spec/template/spec/volumes/0/secret/secretName', value: fresh },
  ]);
  const startedAt = Date.now();
  await kubectl(['create', '-f', '-'], JSON.stringify(tokenSecret(fresh)));
  await kubectl(['wait', '--for=jsonpath={.data.token}', `secret/${fresh}`, '--timeout=60s']);
  for (let i = 0; i < workloads; i++) {
    await kubectl(['patch', 'deployment', nameOf(i), '--type=json', '-p', patch]);
    await kubectl(['rollout', 'status', 'deployment', nameOf(i), '--timeout=600s']);
  }
  const rolledAt = Date.now();
  const today = new Date().toISOString().slice(0, 10);
  await kubectl(['label', 'secret', OLD_SECRET, `${INVALID_SINCE}=${today}`]);
  return { startedAt, rolledAt, endedAt: Date.now() };
}
