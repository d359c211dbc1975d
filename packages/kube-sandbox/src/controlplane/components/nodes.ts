// Gives the control plane Nodes with a fake kubelet, so that Deployments really roll and deleted Pods really go.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Call } from '../client/call.ts';
import { KWOK_NODE, kwokFlags, schedulerFlags } from './flags.ts';
import type { Workplace } from './workplace.ts';

const run = promisify(execFile);
const CAPACITY = { cpu: '1000', memory: '4Ti', pods: '10000' };

export interface NodesRequest {
  count: number;
  podStartMs: number;
}

export async function startNodes(place: Workplace, call: Call, request: NodesRequest): Promise<void> {
  if (request.count === 0) return;
  await writeStages(place, request.podStartMs);
  await place.start('kube-scheduler', schedulerFlags(place.directory));
  const kwok = await place.start('kwok', kwokFlags(place.directory));
  const names = Array.from({ length: request.count }, (_, index) => `node-${index}`);
  await Promise.all(names.map((name) => createNode(call, name)));
  await kwok.until(async () => {
    const ready = await Promise.all(names.map((name) => isReady(call, name)));
    return ready.every(Boolean);
  });
}

/** What KWOK itself ships, with a delay before the Pod is ready where one is asked for. */
async function writeStages({ executable, directory }: Workplace, podStartMs: number): Promise<void> {
  const { stdout } = await run(executable, ['kwok-stages']);
  const delayed = `name: pod-ready\nspec:\n  delay:\n    durationMilliseconds: ${podStartMs}\n`;
  await writeFile(join(directory, 'kwok.yaml'), stdout.replace('name: pod-ready\nspec:\n', delayed));
}

async function createNode(call: Call, name: string): Promise<void> {
  const labels = { ...KWOK_NODE, 'kubernetes.io/hostname': name };
  const { status } = await call('POST', '/api/v1/nodes', {
    body: { metadata: { name, labels }, status: { allocatable: CAPACITY, capacity: CAPACITY } },
  });
  // A clone has them already.
  if (status !== 201 && status !== 409) throw new Error(`Creating Node ${name} answered ${status}.`);
}

interface Node {
  spec: { taints?: unknown[] };
  status: { conditions?: { type: string; status: string }[] };
}

async function isReady(call: Call, name: string): Promise<boolean> {
  const { body } = await call<Node>('GET', `/api/v1/nodes/${name}`);
  const ready = body.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  return ready === true && (body.spec.taints ?? []).length === 0;
}
