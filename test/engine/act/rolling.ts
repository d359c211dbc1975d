// Workloads on a simulated cluster whose Pods take their time, and a plan that restarts all that use the leaked token.
import { restartWorkloads } from '../../../src/actions/restart-workloads.ts';
import { rollOutOf } from '../../../src/actions/roll-out/params.ts';
import type { Action } from '../../../src/contracts/action.ts';
import type { Cap } from '../../../src/domain/plan/waves.ts';
import { type Harness, seedLegacy, startHarness } from '../harness.ts';

export const POD_START_MS = 3000;
export const PATH = '/apis/apps/v1/namespaces/payments/deployments';

export interface Given {
  cap?: Cap;
  deadlineSeconds?: number;
  killedFirst?: boolean;
  consent?: string[];
}

/** Proposed for whoever uses what leaked, as a command would. */
export const restarting = (given: Given = {}): Action => ({
  ...restartWorkloads,
  propose: ({ situation, identity: { namespace } }) => [
    rollOutOf(situation.workloads, { namespace, ...given }) as unknown as Record<string, unknown>,
  ],
});

export interface Seeds {
  [name: string]: { replicas?: number; secretMounts?: string[] };
}

/** An incident whose plan is that restart, waiting for approval. */
export async function begun(seeds: Seeds, given: Given = {}): Promise<[Harness, string]> {
  const h = await startHarness({
    actions: [restarting(given)],
    settings: { autoContain: 'off' },
    clusters: { prod: { podStartMs: POD_START_MS } },
  });
  const token = await seedLegacy(h.cluster());
  for (const [name, seed] of Object.entries(seeds))
    h.cluster().seed.deployment('payments', name, { serviceAccount: 'api', ...seed });
  h.cluster().seed.deployment('payments', 'bystander', { replicas: 1 });
  await settled(h);
  const { incidentId: id } = await h.leak(token);
  await h.run(id);
  return [h, id];
}

/** Until each Pod that can start has started. */
export async function settled(h: Harness): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    h.advance(POD_START_MS);
    await h.connected[0]?.servers();
    await h.connected[0]?.self();
    await h.deps.sleep(1, new AbortController().signal);
    await podsOf(h);
  }
}

interface Pod {
  metadata: { name: string; uid: string; labels: { app: string }; deletionTimestamp?: string };
  status?: { conditions?: { type: string; status: string }[] };
}
export const podsOf = async (h: Harness): Promise<Pod[]> => {
  const resource = { group: '', version: 'v1', plural: 'pods', namespaced: true };
  return (await h.connected[0]?.list({ resource, namespace: 'payments' })) as unknown as Pod[];
};
export const isReady = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status?.conditions ?? []).some(({ type, status: value }) => type === 'Ready' && value === 'True');
export const uids = (pods: Pod[], ...apps: string[]) =>
  pods.filter(({ metadata }) => apps.includes(metadata.labels.app)).map(({ metadata }) => metadata.uid);
export const restarts = (h: Harness) =>
  h
    .cluster()
    .requests.filter(
      ({ method, path, status }) =>
        method === 'PATCH' && path.startsWith(PATH) && !path.includes('dryRun') && status < 300,
    );
export const patched = (h: Harness) => restarts(h).map(({ path }) => path.slice(PATH.length + 1));
export const last = (h: Harness, id: string) => h.incident(id).runs.at(-1);
export const stepOf = (h: Harness, id: string) => last(h, id)?.steps.at(-1);
