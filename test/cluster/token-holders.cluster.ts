// A ServiceAccount that is made anew on a real control plane: its list of Secrets is there before any Pod, and real admission says which Pods hold a token.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { create, type RealWorldCluster, realCluster } from '../../sandbox/real-world.ts';
import { WORKER } from '../../sandbox/world.ts';
import { owesOutside } from '../../src/domain/incident/outside.ts';
import type { PodObject, PodSpec } from '../../src/domain/kubernetes/objects.ts';
import { isReady } from '../../src/domain/kubernetes/objects.ts';
import { type EngineRoom, openEngineRoom } from './engine-room.ts';
import { until } from './leak.ts';
import { ACCOUNT, openSpace, type Space } from './leaks.ts';

let cluster: RealWorldCluster;
let room: EngineRoom;
beforeAll(async () => {
  cluster = await realCluster('prod', { nodes: 2, podStartMs: 300 })();
  const kubeconfig = await cluster.kubeconfig(WORKER);
  room = await openEngineRoom({ kubeconfig, settings: { autoContain: 'off' } });
});
afterAll(async () => {
  await room?.close();
  await cluster?.close();
});

const asks = (audience: string): NonNullable<PodSpec['volumes']>[number] & { name: string } => ({
  name: 'asked-for',
  projected: { sources: [{ serviceAccountToken: { audience, path: 'token' } as { audience: string } }] },
});
const main = { name: 'main', image: 'example.test/none' };
const elsewhere = {
  ...main,
  volumeMounts: [{ name: 'none', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
};
const none = { name: 'none', emptyDir: {} };

/** By name, and whether it holds a token of the ServiceAccount. */
const WORKLOADS: [string, object, boolean][] = [
  ['plain', {}, true],
  ['quiet', { automountServiceAccountToken: false }, false],
  ['vault', { automountServiceAccountToken: false, volumes: [asks('vault')] }, true],
  ['covered', { containers: [elsewhere], volumes: [none] }, false],
  ['half-covered', { containers: [elsewhere, { ...main, name: 'other' }], volumes: [none] }, true],
  [
    'setting-up',
    { containers: [elsewhere], initContainers: [{ ...main, name: 'init' }], volumes: [none] },
    true,
  ],
  [
    'reader',
    {
      automountServiceAccountToken: false,
      volumes: [{ name: 't', secret: { secretName: 'checkout-token' } }],
    },
    true,
  ],
];

const deployment = (namespace: string, name: string, spec: object): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { serviceAccountName: ACCOUNT, containers: [main], ...spec },
    },
  },
});

interface Account {
  metadata: { uid: string };
  secrets?: { name: string }[];
  imagePullSecrets?: { name: string }[];
}

const podsOf = async ({ send, at }: Space): Promise<PodObject[]> =>
  (await send<{ items: PodObject[] }>('GET', at('pods'))).items;
const uidOf = (pods: readonly PodObject[], app: string): string | undefined =>
  pods.find(({ metadata }) => metadata.labels?.app === app)?.metadata.uid;
const allReady = (space: Space, count: number) =>
  until(async () => {
    const pods = await podsOf(space);
    return pods.length === count && pods.every(isReady);
  });

/** Pods of it may mount only what is on its list, as Kubernetes can be told to see to. */
async function place(fields: object = {}): Promise<[Space, string]> {
  const space = await openSpace(cluster.plane);
  const { send, at } = space;
  const generated = 'checkout-dockercfg-x2b4z';
  await send('PATCH', at('serviceaccounts', ACCOUNT), {
    metadata: {
      annotations: {
        'kubernetes.io/enforce-mountable-secrets': 'true',
        'openshift.io/internal-registry-pull-secret-ref': generated,
      },
    },
    secrets: ['git-credentials', 'checkout-token', generated].map((name) => ({ name })),
    imagePullSecrets: [{ name: 'registry' }, { name: generated }],
    ...fields,
  });
  await send('POST', at('secrets'), { metadata: { name: 'git-credentials' } });
  return [space, await space.legacyToken(ACCOUNT, 'checkout-token')];
}

const goal = { do: 'rotate', strategy: 'recreate' } as const;

async function planned(token: string): Promise<string> {
  const { incidentId: id } = await room.leak(token, { goal });
  await room.until(id, ({ plan, stale }) => plan !== undefined && !stale);
  return id;
}
async function approved(id: string) {
  await room.click(id, 'approve', 'UINES');
  return await room.until(id, (one) => one.runs.at(-1)?.stopped !== undefined || owesOutside(one));
}

describe('made anew', () => {
  test('it has its list from the first moment, and every Pod that holds a token is another, also of what came late', async () => {
    const [space, token] = await place();
    const { namespace, send, at } = space;
    await create(
      cluster.plane,
      WORKLOADS.map(([name, spec]) => deployment(namespace, name, spec)),
    );
    await allReady(space, WORKLOADS.length);
    const id = await planned(token);
    const { plan } = room.incident(id);
    expect(plan?.steps.map(({ action }) => action)).toEqual([
      'quarantine-token',
      'recreate-service-account',
      'recreate-token-secrets',
      'restart-workloads',
    ]);
    expect(plan?.steps[1]?.breaks).toContain('Its list of Secrets: git-credentials, checkout-token.');
    expect((plan?.notes ?? []).join()).toContain(
      'Pods of Deployment/covered, Deployment/quiet, so they are left',
    );
    await create(cluster.plane, [deployment(namespace, 'late', {})]);
    await allReady(space, WORKLOADS.length + 1);
    const before = await podsOf(space);
    const old = await send<Account>('GET', at('serviceaccounts', ACCOUNT));
    const ended = await approved(id);
    expect(ended.runs.at(-1)?.stopped).toBeUndefined();
    const account = await send<Account>('GET', at('serviceaccounts', ACCOUNT));
    expect(account.metadata.uid).not.toBe(old.metadata.uid);
    expect(account.secrets).toEqual([{ name: 'git-credentials' }, { name: 'checkout-token' }]);
    expect(account.imagePullSecrets).toEqual([{ name: 'registry' }]);
    expect(JSON.stringify(account)).not.toContain('dockercfg');
    await allReady(space, WORKLOADS.length + 1);
    const after = await podsOf(space);
    const replaced = [...WORKLOADS.map(([name]) => name), 'late'].filter(
      (name) => uidOf(after, name) !== uidOf(before, name),
    );
    expect(replaced).toEqual([...WORKLOADS.filter(([, , holds]) => holds).map(([name]) => name), 'late']);
    expect(await space.probe(token)).toBe(401);
  });

  test('what the ServiceAccount says of tokens decides only where the Pod says nothing', async () => {
    const [space, token] = await place({ automountServiceAccountToken: false });
    const { namespace } = space;
    await create(cluster.plane, [
      deployment(namespace, 'plain', {}),
      deployment(namespace, 'loud', { automountServiceAccountToken: true }),
    ]);
    await allReady(space, 2);
    const before = await podsOf(space);
    const ended = await approved(await planned(token));
    expect(ended.runs.at(-1)?.stopped).toBeUndefined();
    await allReady(space, 2);
    const after = await podsOf(space);
    expect(uidOf(after, 'plain')).toBe(uidOf(before, 'plain'));
    expect(uidOf(after, 'loud')).not.toBe(uidOf(before, 'loud'));
  });

  test('admission puts a token where this table says', async () => {
    const [space] = await place();
    await create(
      cluster.plane,
      WORKLOADS.map(([name, spec]) => deployment(space.namespace, name, spec)),
    );
    await allReady(space, WORKLOADS.length);
    for (const { metadata, spec } of await podsOf(space)) {
      const app = metadata.labels?.app;
      const volume = JSON.stringify(spec?.volumes ?? []).includes('serviceAccountToken');
      const holds = WORKLOADS.find(([name]) => name === app)?.[2];
      // By a Secret it does not need one.
      expect([app, volume]).toEqual([app, app === 'reader' ? false : holds]);
    }
  });
});
