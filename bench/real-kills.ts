// Sees each quarantine and deletion on a real API server as everybody else does: on a watch.
import { createInterface } from 'node:readline';
import { type ControlPlane, requestToken } from 'kube-sandbox/controlplane';
import { Agent, request } from 'undici';
import { INVALID_SINCE } from '../src/domain/kubernetes/legacy-token-labels.ts';
import { createWaiting, type Kills } from './kills.ts';

interface WatchEvent {
  type: string;
  object: { metadata: { name: string; namespace: string; labels?: Record<string, string> } };
}

const USER = { namespace: 'tourniquet', serviceAccount: 'bench-watch' };

export async function watchRealKills(plane: ControlPlane): Promise<Kills & { close(): Promise<void> }> {
  const waiting = createWaiting();
  const token = await watcher(plane);
  const dispatcher = new Agent({ connect: { ca: plane.caPem }, bodyTimeout: 0 });
  const { body, statusCode } = await request(`${plane.servers[0]?.url}/api/v1/secrets?watch=1`, {
    dispatcher,
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
    },
  });
  if (statusCode !== 200) throw new Error(`The watch on Secrets was answered ${statusCode}.`);
  const lines = createInterface(body);
  lines.on('line', (line) => {
    const at = performance.now();
    const { type, object } = JSON.parse(line) as WatchEvent;
    const { name, namespace, labels = {} } = object.metadata;
    const dead = type === 'DELETED' || (type === 'MODIFIED' && INVALID_SINCE in labels);
    if (dead) waiting.over(`/api/v1/namespaces/${namespace}/secrets/${name}`, { at });
  });
  // The end of the benchmark ends the watch, which is no failure.
  lines.on('error', () => undefined);
  return { of: waiting.of, close: () => dispatcher.destroy() };
}

async function watcher(plane: ControlPlane): Promise<string> {
  const account = `${USER.namespace}:${USER.serviceAccount}`;
  const { code, stderr } = await plane.kubectl([
    ...['create', 'clusterrolebinding', 'bench-watch', '--clusterrole=cluster-admin'],
    `--serviceaccount=${account}`,
  ]);
  if (code !== 0) throw new Error(stderr);
  return await requestToken(plane.call, USER.namespace, USER.serviceAccount);
}
