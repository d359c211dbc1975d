// A rotation on a simulated cluster that is taken back, under eyes that look at every Pod before and after each request.
import { expect } from 'vitest';
import { INVALID_SINCE } from '../../../src/domain/kubernetes/legacy-token-labels.ts';
import type { PodSpec } from '../../../src/domain/kubernetes/objects.ts';
import { accountOf, secretsOf } from '../../../src/domain/kubernetes/pod-references.ts';
import type { Strategy } from '../../../src/domain/plan/goal.ts';
import { DEFAULT_PACE } from '../../../src/domain/plan/waves.ts';
import type { Cluster } from '../../../src/ports/cluster.ts';
import { type Harness, seedLegacy, startHarness, statusWith } from '../harness.ts';
import { grant } from './moving.ts';

export const MINUTE = 60_000;
export const NEXT = 'api-token-r20261124';
export const SECRETS = '/api/v1/namespaces/payments/secrets';
export const ACCOUNTS = '/api/v1/namespaces/payments/serviceaccounts';

interface Seen {
  kind?: string;
  metadata: { uid: string; name: string; namespace?: string; deletionTimestamp?: string };
  spec?: PodSpec;
}

/** What each Pod that runs holds: nothing, where no API server would accept it. */
function unserved(h: Harness): string[] {
  const pods = (h.cluster().objects() as Seen[]).filter(
    ({ kind, metadata }) =>
      kind === 'Pod' && metadata.namespace === 'payments' && metadata.deletionTimestamp === undefined,
  );
  return pods.flatMap(({ metadata, spec = {} }) => {
    const account = accountOf(spec);
    const lacking = [...secretsOf(spec)].filter((name) => {
      const secret = h.cluster().get(`${SECRETS}/${name}`);
      return secret === undefined || secret.metadata.labels?.[INVALID_SINCE] !== undefined;
    });
    if (h.cluster().get(`${ACCOUNTS}/${account}`) === undefined) lacking.push(account);
    return lacking.map((name) => `${metadata.name.replace(/-.*/, '')} holds ${name}`);
  });
}

/** Looks before and after every request, and once more whenever time passes. */
function watching(look: () => void): (cluster: Cluster) => Cluster {
  const watched =
    <A extends unknown[], R>(ask: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      look();
      return await ask(...given).finally(look);
    };
  return (cluster) => ({
    ...cluster,
    get: watched(cluster.get) as Cluster['get'],
    list: watched(cluster.list) as Cluster['list'],
    create: watched(cluster.create) as Cluster['create'],
    patch: watched(cluster.patch),
    remove: watched(cluster.remove),
    evict: watched(cluster.evict),
  });
}

export interface Opened {
  h: Harness;
  id: string;
  token: string;
  /** Pods that held nothing, since this was called with true. */
  lost: Set<string>;
  watch(on: boolean): void;
}

export async function opened(strategy: Strategy, { contained = false } = {}): Promise<Opened> {
  const lost = new Set<string>();
  let isWatching = false;
  let open: Harness | undefined;
  const look = () => {
    if (!isWatching || !open) return;
    for (const one of unserved(open)) lost.add(one);
  };
  const h = await startHarness({
    wrap: watching(look),
    clusters: { prod: { podStartMs: 3000 } },
    settings: {
      autoContain: contained ? 'token-in-hand' : 'off',
      pace: { ...DEFAULT_PACE, deadline: MINUTE },
    },
  });
  open = h;
  const { sleep } = h.deps;
  h.deps.sleep = async (ms, signal) => {
    look();
    await sleep(ms, signal);
    look();
  };
  const { seed } = h.cluster();
  const token = await seedLegacy(h.cluster());
  grant(h);
  seed.deployment('payments', 'mounted', {
    serviceAccount: 'default',
    secretMounts: ['api-token'],
    replicas: 3,
  });
  seed.deployment('payments', 'reads', { serviceAccount: 'default', envSecret: 'api-token', replicas: 2 });
  seed.deployment('payments', 'runs', { serviceAccount: 'api', replicas: 2 });
  h.advance(5000);
  await h.deps.sleep(1, new AbortController().signal);
  const goal = { do: 'rotate' as const, strategy };
  const { incidentId: id } = await h.leak(token, contained ? {} : { goal });
  await h.run(id);
  if (contained) {
    await h.leak(token, { goal });
    await h.run(id);
  }
  const watch = (on: boolean): void => {
    isWatching = on;
  };
  return { h, id, token, lost, watch };
}

export const approve = async ({ h, id }: Opened, forMs = 10 * MINUTE): Promise<void> => {
  expect(await h.click(id, 'approve', 'UINES')).toMatchObject({ decided: true });
  await h.run(id, forMs);
};
export const undo = ({ h, id }: Opened) => h.click(id, 'undo', 'UINES', { reason: 'the batch fails' });
export const lastRun = ({ h, id }: Opened) => h.incident(id).runs.at(-1);
export const usedBy = ({ h }: Opened, app: string): string[] => [
  ...new Set(
    (h.cluster().objects() as Seen[])
      .filter(({ kind, metadata }) => kind === 'Pod' && metadata.name.startsWith(`${app}-`))
      .flatMap(({ spec = {} }) => [...secretsOf(spec)]),
  ),
];
export const answers = async ({ h }: Opened, token: string): Promise<string> => {
  const [cluster] = h.connected;
  return cluster ? await statusWith(cluster, token) : '';
};
/** Successful writes below the namespace, from now on. */
export function writesFrom({ h }: Opened): () => string[] {
  const from = h.cluster().requests.length;
  return () =>
    h
      .cluster()
      .requests.slice(from)
      .filter(({ method, status, path }) => method !== 'GET' && status < 300 && path.includes('/payments/'))
      .filter(({ path }) => !path.includes('dryRun='))
      .map(({ method, path }) => `${method} ${path.split('/payments/')[1]}`);
}
