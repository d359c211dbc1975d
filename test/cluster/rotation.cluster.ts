// Rotations on a real control plane, way by way and kind by kind: what was old is gone and refused, what is new is in use.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RealWorldCluster, realCluster } from '../../sandbox/real-world.ts';
import { WORKER } from '../../sandbox/world.ts';
import type { Incident } from '../../src/domain/incident/incident.ts';
import { isReady, type PodObject } from '../../src/domain/kubernetes/objects.ts';
import { accountOf, secretsOf } from '../../src/domain/kubernetes/pod-references.ts';
import type { Goal } from '../../src/domain/plan/goal.ts';
import { type EngineRoom, openEngineRoom, TIMING } from './engine-room.ts';
import { type KubeObject, until } from './leak.ts';
import { ACCOUNT, leak, openSpace, type Space } from './leaks.ts';
import { answersTo } from './real-stage.ts';

const MINUTE = 60_000;

let cluster: RealWorldCluster;
let room: EngineRoom;

beforeAll(async () => {
  cluster = await realCluster('prod', { nodes: 2, podStartMs: 200, servers: 2 })();
});
// Each test has a clock of its own: what waits a day here must not age the tokens of the others.
beforeEach(async () => {
  const { apiServers } = cluster;
  room = await openEngineRoom({
    kubeconfig: await cluster.kubeconfig(WORKER),
    config: { ...(apiServers && { apiServers }) },
    settings: { autoContain: 'off', timing: { ...TIMING, recheckAfter: [5 * MINUTE] } },
  });
});
afterEach(() => room?.close());
afterAll(() => cluster?.close());

const table: string[][] = [['strategy', 'token', 'workload', 'Pods', 'end']];
afterAll(() => console.log(table.map((row) => row.join(' | ')).join('\n')));

const SECRET = 'checkout-token';
type Use = 'volume' | 'env' | 'envFrom' | 'projected' | 'account';

function podSpec(use: Use): object {
  const container = { name: 'main', image: 'example.test/none' };
  const mount = { volumeMounts: [{ name: 'token', mountPath: '/token' }] };
  switch (use) {
    case 'account':
      return { serviceAccountName: ACCOUNT, containers: [container] };
    case 'volume':
      return {
        containers: [{ ...container, ...mount }],
        volumes: [{ name: 'token', secret: { secretName: SECRET } }],
      };
    case 'projected':
      return {
        containers: [{ ...container, ...mount }],
        volumes: [{ name: 'token', projected: { sources: [{ secret: { name: SECRET } }] } }],
      };
    case 'env': {
      const valueFrom = { secretKeyRef: { name: SECRET, key: 'token' } };
      return { containers: [{ ...container, env: [{ name: 'TOKEN', valueFrom }] }] };
    }
    case 'envFrom':
      return {
        containers: [container],
        initContainers: [{ ...container, name: 'first', envFrom: [{ secretRef: { name: SECRET } }] }],
      };
  }
}

function workload(kind: string, name: string, use: Use, spec: object = {}): object {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: podSpec(use) };
  const metadata = { name, labels };
  if (kind === 'Pod') return { apiVersion: 'v1', kind, metadata, spec: podSpec(use) };
  if (kind === 'CronJob') {
    const jobSpec = { template: { ...template, spec: { ...podSpec(use), restartPolicy: 'Never' } } };
    const jobTemplate = { spec: jobSpec };
    return {
      apiVersion: 'batch/v1',
      kind,
      metadata,
      spec: { schedule: '0 0 1 1 *', suspend: true, jobTemplate },
    };
  }
  const service = kind === 'StatefulSet' ? { serviceName: name } : {};
  const replicas = kind === 'DaemonSet' ? {} : { replicas: 2 };
  const selector = { matchLabels: labels };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata,
    spec: { ...replicas, ...service, selector, template, ...spec },
  };
}

const ON_DELETE = { updateStrategy: { type: 'OnDelete' } };

/** Every kind, each with another way of using what leaked. */
const everyKind = (use: (way: Use) => Use): object[] => [
  workload('Deployment', 'volume', use('volume')),
  workload('Deployment', 'init', use('envFrom')),
  workload('StatefulSet', 'stateful', use('env')),
  workload('DaemonSet', 'daemon', use('projected')),
  workload('DaemonSet', 'on-delete', use('volume'), ON_DELETE),
  workload('ReplicaSet', 'bare-set', use('env')),
  workload('CronJob', 'nightly', use('volume')),
  workload('Pod', 'alone', use('volume')),
];
const EVERY_POD = 2 + 2 + 2 + 2 + 2 + 2 + 1;

const podsIn = async ({ send, at }: Space): Promise<PodObject[]> =>
  (await send<{ items: PodObject[] }>('GET', at('pods'))).items.filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined,
  );
const uids = (pods: PodObject[]): string[] => pods.map(({ metadata }) => metadata.uid);

async function deployed(space: Space, manifests: object[], pods: number): Promise<PodObject[]> {
  const { namespace } = space;
  await cluster.create(
    ...manifests.map((each) => {
      const { metadata, ...rest } = each as { metadata: object };
      return { ...rest, metadata: { ...metadata, namespace } };
    }),
  );
  await until(async () => {
    const all = await podsIn(space);
    return all.length === pods && all.every(isReady);
  });
  return await podsIn(space);
}

async function planned(space: Space, goal: Goal, token?: string): Promise<string> {
  const at = { cluster: 'prod', namespace: space.namespace };
  const subject = {
    kind: 'coordinates' as const,
    at:
      goal.do === 'rotate' && goal.strategy === 'new-secret'
        ? { ...at, secret: SECRET }
        : { ...at, serviceAccount: ACCOUNT },
  };
  const { incidentId } = token
    ? await room.leak(token, { goal })
    : await room.front.report({ alert: { source: 'slash', reporter: 'UMAYA', subject, goal } });
  await room.until(incidentId, ({ plan, unidentified }) => plan !== undefined || unidentified !== undefined);
  return incidentId;
}

const proven = ({ proof }: Incident): boolean => proof?.outcome?.verdict === 'done';
const idle = ({ runs }: Incident): boolean => runs.at(-1)?.steps.every(({ outcome }) => outcome) ?? true;

async function rotated(id: string): Promise<Incident> {
  await room.click(id, 'approve', 'UINES');
  return await room.until(id, (incident) => {
    const stopped = incident.runs.at(-1)?.stopped;
    if (stopped) throw new Error(stopped);
    return proven(incident) && idle(incident);
  });
}

function note(strategy: string, kind: string, before: PodObject[], after: PodObject[], end: string): void {
  const by = (pods: PodObject[]) =>
    Map.groupBy(pods, ({ metadata }) => metadata.labels?.app ?? metadata.name);
  for (const [app, pods] of by(before))
    table.push([strategy, kind, app, `${pods.length} → ${by(after).get(app)?.length ?? 0}`, end]);
}

const secretOf = async ({ send, at }: Space, name: string): Promise<string> => {
  const { data } = await send<KubeObject>('GET', at('secrets', name));
  return Buffer.from(data?.token ?? '', 'base64').toString();
};
const fresh = async ({ send, at }: Space): Promise<string> => {
  const { items } = await send<{ items: KubeObject[] }>('GET', at('secrets'));
  const [found] = items.filter(({ metadata }) => metadata.name.startsWith(`${SECRET}-r`));
  return found?.metadata.name ?? '';
};

describe('a new token Secret', () => {
  test('is used by every kind of workload, the old one is refused, and deleted after a while', async () => {
    const space = await openSpace(cluster.plane);
    const token = await leak(space, 'legacy');
    const before = await deployed(
      space,
      everyKind((way) => way),
      EVERY_POD,
    );
    const id = await planned(space, { do: 'rotate', strategy: 'new-secret', consent: true });
    const end = await rotated(id);
    const after = await podsIn(space);
    note('new-secret', 'legacy', before, after, end.proof?.outcome?.verdict ?? '');
    expect(uids(after).filter((uid) => uids(before).includes(uid))).toEqual([]);
    expect(after).toHaveLength(EVERY_POD);
    expect(after.every(isReady)).toBe(true);
    const name = await fresh(space);
    for (const { spec = {} } of after) expect([...secretsOf(spec)]).toEqual([name]);
    const cronJob = await space.send('GET', `/apis/batch/v1/namespaces/${space.namespace}/cronjobs/nightly`);
    expect(JSON.stringify(cronJob)).toContain(name);
    expect(await answersTo(cluster, token)).toEqual([401, 401]);
    expect(await answersTo(cluster, await secretOf(space, name))).toEqual([201, 201]);
    expect(await space.exists(space.at('secrets', SECRET))).toBe(true);
    await room.click(id, 'outside', 'UMAYA', { reason: 'nobody' });
    await room.until(id, ({ closed }) => closed !== undefined);
    expect(await space.exists(space.at('secrets', SECRET))).toBe(false);
    expect(await answersTo(cluster, token)).toEqual([401, 401]);
    expect(await answersTo(cluster, await secretOf(space, name))).toEqual([201, 201]);
  });

  test('is taken back whole while the old one is there', async () => {
    const space = await openSpace(cluster.plane);
    const token = await leak(space, 'legacy');
    await deployed(space, [workload('Deployment', 'web', 'volume'), workload('StatefulSet', 'db', 'env')], 4);
    const id = await planned(space, { do: 'rotate', strategy: 'new-secret' });
    await rotated(id);
    await room.click(id, 'undo', 'UINES', { reason: 'the batch does not read the new one' });
    await room.until(
      id,
      (incident) => incident.runs.at(-1)?.kind === 'undo' && idle(incident) && !incident.stale,
    );
    for (const { spec = {} } of await podsIn(space)) expect([...secretsOf(spec)]).toEqual([SECRET]);
    expect(await fresh(space)).toBe('');
    await expect.poll(() => answersTo(cluster, token), { timeout: 15_000 }).toEqual([201, 201]);
    table.push(['new-secret, undone', 'legacy', 'web, db', '4 → 4', 'alive again']);
  });

  test('stops at a StatefulSet whose partition keeps the old template, and says so', async () => {
    const space = await openSpace(cluster.plane);
    const token = await leak(space, 'legacy');
    const partition = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } };
    await deployed(space, [workload('StatefulSet', 'db', 'env', partition)], 2);
    const id = await planned(space, { do: 'rotate', strategy: 'new-secret' });
    await room.click(id, 'approve', 'UINES');
    const { runs } = await room.until(id, (incident) => incident.runs.at(-1)?.stopped !== undefined);
    expect(runs.at(-1)?.stopped).toMatch(/StatefulSet\/db: 1 Pod is below its partition of 1/);
    expect(await answersTo(cluster, token)).toEqual([201, 201]);
    table.push(['new-secret', 'legacy', 'StatefulSet with partition', '2', 'stopped: lower the partition']);
  });

  test('stops where a quota leaves no room, and is rolled back', async () => {
    const space = await openSpace(cluster.plane);
    const token = await leak(space, 'legacy');
    await deployed(space, [workload('Deployment', 'web', 'volume')], 2);
    await cluster.create({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'full', namespace: space.namespace },
      spec: { hard: { pods: '2' } },
    });
    await until(async () => {
      const quota = await space.send<{ status?: { used?: { pods?: string } } }>(
        'GET',
        space.at('resourcequotas', 'full'),
      );
      return quota.status?.used?.pods === '2';
    });
    // Nothing may be missing while nothing may be added.
    await space.send('PATCH', `/apis/apps/v1/namespaces/${space.namespace}/deployments/web`, {
      spec: { strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } },
    });
    const id = await planned(space, { do: 'rotate', strategy: 'new-secret' });
    await room.click(id, 'approve', 'UINES');
    const stopped = room.until(id, (incident) => incident.runs.at(-1)?.stopped !== undefined);
    await until(async () => room.memory.events(id).some(({ type }) => type === 'step-progressed'));
    room.forward(11 * MINUTE);
    const { runs } = await stopped;
    expect(runs.at(-1)?.stopped).toMatch(/Deployment\/web: .*(quota|exceeded)/i);
    const hash = runs.at(-1)?.id ?? '';
    expect(await room.click(id, 'roll-back', 'UINES', { reason: 'no room', hash })).toMatchObject({
      decided: true,
    });
    await room.until(id, (incident) => incident.runs.at(-1)?.kind === 'roll-back' && idle(incident));
    const after = await podsIn(space);
    expect(after).toHaveLength(2);
    for (const { spec = {} } of after) expect([...secretsOf(spec)]).toEqual([SECRET]);
    expect(await fresh(space)).toBe('');
    expect(await answersTo(cluster, token)).toEqual([201, 201]);
    table.push(['new-secret', 'legacy', 'quota without room', '2 → 2', 'stopped, rolled back']);
  });

  test('stops where somebody takes the change back, and names who', async () => {
    const space = await openSpace(cluster.plane);
    await leak(space, 'legacy');
    const [, ...pods] = await deployed(space, [workload('Deployment', 'web', 'volume')], 2);
    expect(pods).toHaveLength(1);
    const path = `/apis/apps/v1/namespaces/${space.namespace}/deployments/web`;
    const declared = await space.send<{ spec: { template: { spec: object } } }>('GET', path);
    let reverting = true;
    const gitOps = (async () => {
      while (reverting) {
        const now = await space.send<{ spec: { template: { spec: object } } }>('GET', path);
        const drifted =
          JSON.stringify(now.spec.template.spec) !== JSON.stringify(declared.spec.template.spec);
        if (drifted)
          await space.send('PATCH', path, { spec: { template: { spec: declared.spec.template.spec } } });
      }
    })();
    const id = await planned(space, { do: 'rotate', strategy: 'new-secret' });
    await room.click(id, 'approve', 'UINES');
    const { runs } = await room.until(id, (incident) => incident.runs.at(-1)?.stopped !== undefined);
    reverting = false;
    await gitOps;
    expect(runs.at(-1)?.stopped).toMatch(/Deployment\/web: The change was taken back\. Others that write it/);
    table.push(['new-secret', 'legacy', 'reverted by a GitOps controller', '2', 'stopped, named']);
  });
});

test('an old Secret that a controller puts back is found by the later look, and named', async () => {
  const space = await openSpace(cluster.plane);
  const token = await leak(space, 'legacy');
  await deployed(space, [workload('Deployment', 'web', 'volume')], 2);
  const id = await planned(space, { do: 'rotate', strategy: 'new-secret' });
  await rotated(id);
  await room.click(id, 'outside', 'UMAYA', { reason: 'nobody' });
  await room.until(id, ({ closed }) => closed !== undefined);
  // As External Secrets or a backup does it: the same name again, and with an RSA key the same token.
  expect(await space.legacyToken(ACCOUNT, SECRET)).toBe(token);
  const { reopened } = await room.until(id, (incident) => incident.reopened !== undefined);
  expect(reopened?.reason).toMatch(/works again on prod/);
  expect(reopened?.reason).toMatch(/last written by: /);
  table.push(['new-secret', 'legacy', 'put back by a Secret controller', '2', 'reopened, named']);
});

describe('re-creation in place', () => {
  test.each(['legacy', 'unbound'] as const)(
    'kills a %s token at once, and replaces every Pod',
    async (kind) => {
      const space = await openSpace(cluster.plane);
      const token = await leak(space, kind);
      const before = await deployed(
        space,
        everyKind(() => 'account'),
        EVERY_POD,
      );
      const id = await planned(space, { do: 'rotate', strategy: 'recreate', consent: true }, token);
      const end = await rotated(id);
      const after = await podsIn(space);
      note('recreate', kind, before, after, end.proof?.outcome?.verdict ?? '');
      expect(uids(after).filter((uid) => uids(before).includes(uid))).toEqual([]);
      expect(after).toHaveLength(EVERY_POD);
      for (const { spec = {} } of after) expect(accountOf(spec)).toBe(ACCOUNT);
      expect(await answersTo(cluster, token)).toEqual([401, 401]);
    },
  );
});

test("a Pod's token dies with that Pod, and with no other", async () => {
  const space = await openSpace(cluster.plane);
  const before = await deployed(space, [workload('Deployment', 'web', 'account')], 2);
  const [victim] = before;
  if (!victim) throw new Error('no Pod');
  const { name, uid } = victim.metadata;
  const token = await space.requestToken(ACCOUNT, { bound: { kind: 'Pod', name, uid } });
  const id = await planned(space, { do: 'rotate' }, token);
  expect(room.incident(id).plan?.steps.map(({ action }) => action)).toEqual(['delete-bound-pod']);
  await rotated(id);
  const after = uids(await podsIn(space));
  expect(after).not.toContain(uid);
  expect(after).toContain(before[1]?.metadata.uid);
  expect(await answersTo(cluster, token)).toEqual([401, 401]);
  table.push(['replace-pod', 'pod-bound', 'web', '1 of 2', 'done']);
});
