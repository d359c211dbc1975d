// Leaks a token of each kind on a real control plane, in a namespace of its own in which the worker may act.

import type { ControlPlane } from 'kube-sandbox/controlplane';
import { create } from '../../sandbox/real-world.ts';
import { WORKER } from '../../sandbox/world.ts';
import type { Search } from '../../src/engine/look/copies.ts';
import { type KubeObject, openNamespace, until } from './leak.ts';

export type Kind = 'legacy' | 'pod-bound' | 'secret-bound' | 'unbound';
export const KINDS: readonly Kind[] = ['legacy', 'pod-bound', 'secret-bound', 'unbound'];

export type Space = Awaited<ReturnType<typeof openNamespace>>;

export const ACCOUNT = 'checkout';

/** Looks for no copies. */
export const NOWHERE: Search = { namespaces: [], fingerprint: () => '' };

/** As docs/worker-rbac.yaml tells an administrator to opt a namespace in. */
export async function optIn({ kubectl }: ControlPlane, namespace: string): Promise<void> {
  const account = `${WORKER.namespace}:${WORKER.serviceAccount}`;
  const { code, stderr } = await kubectl([
    ...['-n', namespace, 'create', 'rolebinding', 'tourniquet-worker'],
    ...['--clusterrole=tourniquet-worker-namespace', `--serviceaccount=${account}`],
  ]);
  if (code !== 0) throw new Error(stderr);
}

/** A namespace with a ServiceAccount and a Deployment that uses it; opted into unless told otherwise. */
export async function openSpace(plane: ControlPlane, { optedIn = true } = {}): Promise<Space> {
  const space = await openNamespace(plane);
  await space.serviceAccount(ACCOUNT);
  if (optedIn) await optIn(plane, space.namespace);
  return space;
}

export async function deploy(
  plane: ControlPlane,
  { namespace, at, send }: Space,
  spec: object = {},
): Promise<void> {
  const labels = { app: ACCOUNT };
  const containers = [{ name: 'main', image: 'example.test/none' }];
  await create(plane, [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: ACCOUNT, namespace },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { serviceAccountName: ACCOUNT, containers, ...spec } },
      },
    },
  ]);
  await until(async () => (await send<{ items: unknown[] }>('GET', at('pods'))).items.length > 0);
}

/** The token as a thief holds it. Never used before, so no server has cached that it is good. */
export async function leak(space: Space, kind: Kind): Promise<string> {
  if (kind === 'legacy') return await space.legacyToken(ACCOUNT, 'checkout-token');
  if (kind === 'unbound') return await space.requestToken(ACCOUNT);
  const bound =
    kind === 'pod-bound' ? await pod(space) : { kind: 'Secret' as const, ...(await anchor(space)) };
  return await space.requestToken(ACCOUNT, { bound });
}

async function anchor({ send, at }: Space) {
  const { metadata } = await send<KubeObject>('POST', at('secrets'), { metadata: { name: 'anchor' } });
  return metadata;
}

/** On a Node with a fake kubelet, which lets go of it as soon as it is deleted. */
async function pod({ send, at }: Space) {
  const containers = [{ name: 'main', image: 'example.test/none' }];
  const { metadata } = await send<KubeObject>('POST', at('pods'), {
    metadata: { name: 'job' },
    spec: { serviceAccountName: ACCOUNT, containers },
  });
  await until(async () => {
    const { status } = await send<{ status?: { phase?: string } }>('GET', at('pods', 'job'));
    return status?.phase === 'Running';
  });
  return { kind: 'Pod' as const, name: metadata.name, uid: metadata.uid };
}
