// A rotation is taken back on a real control plane: whoever runs holds a token that is accepted at every moment, a StatefulSet that is stuck included.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RealWorldCluster, realCluster } from '../../sandbox/real-world.ts';
import { WORKER } from '../../sandbox/world.ts';
import type { Incident } from '../../src/domain/incident/incident.ts';
import { isReady, type PodObject } from '../../src/domain/kubernetes/objects.ts';
import { secretsOf } from '../../src/domain/kubernetes/pod-references.ts';
import type { Cluster } from '../../src/ports/cluster.ts';
import { type EngineRoom, openEngineRoom, TIMING } from './engine-room.ts';
import { type KubeObject, until } from './leak.ts';
import { leak, openSpace, type Space } from './leaks.ts';
import { answersTo } from './real-stage.ts';

const MINUTE = 60_000;
const SECRET = 'checkout-token';
const LABEL = 'kubernetes.io/legacy-token-invalid-since';

let cluster: RealWorldCluster;
let room: EngineRoom;

beforeAll(async () => {
  cluster = await realCluster('prod', { nodes: 2, podStartMs: 200, servers: 2 })();
});
beforeEach(async () => {
  const { apiServers } = cluster;
  room = await openEngineRoom({
    kubeconfig: await cluster.kubeconfig(WORKER),
    config: { ...(apiServers && { apiServers }) },
    settings: { autoContain: 'off', timing: { ...TIMING, soak: 24 * 60 * MINUTE } },
  });
});
afterEach(() => room?.close());
afterAll(() => cluster?.close());

function workload(kind: 'Deployment' | 'StatefulSet', name: string, namespace: string): object {
  const labels = { app: name };
  const container = { name: 'main', image: 'example.test/none' };
  const spec =
    kind === 'Deployment'
      ? {
          containers: [{ ...container, volumeMounts: [{ name: 'token', mountPath: '/token' }] }],
          volumes: [{ name: 'token', secret: { secretName: SECRET } }],
        }
      : {
          containers: [
            {
              ...container,
              env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: SECRET, key: 'token' } } }],
            },
          ],
        };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace, labels },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec },
      ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
    },
  };
}

const podsIn = async ({ send, at }: Space): Promise<PodObject[]> =>
  (await send<{ items: PodObject[] }>('GET', at('pods'))).items.filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined,
  );
const secretsIn = async ({ send, at }: Space): Promise<KubeObject[]> =>
  (await send<{ items: KubeObject[] }>('GET', at('secrets'))).items;
const usedIn = async (space: Space): Promise<string[]> => [
  ...new Set((await podsIn(space)).flatMap(({ spec = {} }) => [...secretsOf(spec)])),
];
const nextIn = async (space: Space): Promise<string | undefined> =>
  (await secretsIn(space)).find(({ metadata }) => metadata.name.startsWith(`${SECRET}-r`))?.metadata.name;

/** Pods whose Secret is gone or switched off, before and after they were listed. */
async function unserved(space: Space): Promise<string[]> {
  const good = (all: KubeObject[]) =>
    new Set(all.filter(({ metadata }) => !metadata.labels?.[LABEL]).map(({ metadata }) => metadata.name));
  const before = good(await secretsIn(space));
  const pods = await podsIn(space);
  const after = good(await secretsIn(space));
  return pods.flatMap(({ metadata, spec = {} }) =>
    [...secretsOf(spec)]
      .filter((name) => !before.has(name) && !after.has(name))
      .map((name) => `${metadata.name} holds ${name}`),
  );
}

/** Looks at every Pod before and after each write of the worker. */
function watchWrites(space: Space): { lost: Set<string>; looks: () => number } {
  const lost = new Set<string>();
  let looks = 0;
  const look = async (): Promise<void> => {
    looks += 1;
    for (const one of await unserved(space)) lost.add(one);
  };
  const watched =
    <A extends unknown[], R>(write: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      await look();
      return await write(...given).finally(look);
    };
  const { prod } = room;
  const through: Cluster = {
    ...prod,
    create: watched(prod.create) as Cluster['create'],
    patch: watched(prod.patch),
    remove: watched(prod.remove),
    evict: watched(prod.evict),
  };
  room.deps.clusters = new Map([['prod', through]]);
  return { lost, looks: () => looks };
}

async function rotating(...kinds: ('Deployment' | 'StatefulSet')[]): Promise<[Space, string, string]> {
  const space = await openSpace(cluster.plane);
  const token = await leak(space, 'legacy');
  await cluster.create(...kinds.map((kind) => workload(kind, kind.toLowerCase(), space.namespace)));
  await until(async () => {
    const pods = await podsIn(space);
    return pods.length === 2 * kinds.length && pods.every(isReady);
  });
  const at = { cluster: 'prod', namespace: space.namespace, secret: SECRET };
  const goal = { do: 'rotate', strategy: 'new-secret' } as const;
  const subject = { kind: 'coordinates' as const, at };
  const alert = { source: 'slash', reporter: 'UMAYA', subject, goal };
  const { incidentId: id } = await room.front.report({ alert });
  await room.until(id, ({ plan }) => plan !== undefined);
  await room.click(id, 'approve', 'UINES');
  return [space, id, token];
}

const ended = ({ runs }: Incident): boolean =>
  runs.at(-1)?.stopped !== undefined || (runs.at(-1)?.steps.every(({ outcome }) => outcome) ?? true);

test('a finished rotation is taken back without a moment in which somebody holds nothing', async () => {
  const [space, id, token] = await rotating('Deployment', 'StatefulSet');
  await room.until(id, ({ proof, runs }) => {
    const { stopped } = runs.at(-1) ?? {};
    if (stopped) throw new Error(stopped);
    return proof?.outcome?.verdict === 'done';
  });
  const next = await nextIn(space);
  expect(await usedIn(space)).toEqual([next]);
  expect(await answersTo(cluster, token)).toEqual([401, 401]);
  const { lost, looks } = watchWrites(space);
  expect(await room.click(id, 'undo', 'UINES', { reason: 'the batch fails' })).toMatchObject({
    decided: true,
  });
  const { runs } = await room.until(id, (one) => one.runs.at(-1)?.kind === 'undo' && ended(one));
  expect(runs.at(-1)?.steps.map(({ step, outcome }) => [step.action, outcome?.verdict])).toEqual([
    ['quarantine-token', 'done'],
    ['repoint-workloads', 'done'],
    ['replace-token-secret', 'done'],
  ]);
  expect(runs.at(-1)?.steps[0]?.outcome?.detail).toContain('accepted again by 2 of 2 API servers');
  expect([...lost]).toEqual([]);
  expect(looks()).toBeGreaterThanOrEqual(8);
  expect(await usedIn(space)).toEqual([SECRET]);
  expect(await nextIn(space)).toBeUndefined();
  expect(await answersTo(cluster, token)).toEqual([201, 201]);
});

async function cordon(yes: boolean): Promise<void> {
  const { items } = (await cluster.plane.call<{ items: KubeObject[] }>('GET', '/api/v1/nodes')).body;
  for (const { metadata } of items)
    await cluster.plane.call('PATCH', `/api/v1/nodes/${metadata.name}`, {
      body: { spec: { unschedulable: yes } },
      contentType: 'application/merge-patch+json',
    });
}

test('a StatefulSet whose new Pod does not start is brought back, although its controller waits for that Pod', async () => {
  const started = rotating('StatefulSet');
  const [space, id] = await started;
  // Nothing that is made from now on finds a place.
  await cordon(true);
  const stopping = room.until(id, ({ runs }) => runs.at(-1)?.stopped !== undefined);
  const stuck = await until(async () => {
    const next = await nextIn(space);
    const pods = await podsIn(space);
    return pods.find((pod) => next !== undefined && secretsOf(pod.spec ?? {}).has(next) && !isReady(pod));
  });
  await until(async () => room.memory.events(id).some(({ type }) => type === 'step-progressed'));
  room.forward(11 * MINUTE);
  const stopped = await stopping;
  expect(stopped.runs.at(-1)?.stopped).toContain('StatefulSet/statefulset');
  const { lost } = watchWrites(space);
  const hash = stopped.runs.at(-1)?.id ?? '';
  expect(await room.click(id, 'roll-back', 'UINES', { reason: 'no', hash })).toMatchObject({ decided: true });
  const back = room.until(id, (one) => one.runs.at(-1)?.kind === 'roll-back' && ended(one));
  // Its controller makes it anew only once it is gone, which nobody but the roll-back brings about.
  await until(async () => {
    const pods = await podsIn(space);
    return pods.some(
      ({ metadata }) => metadata.name === stuck.metadata.name && metadata.uid !== stuck.metadata.uid,
    );
  });
  await cordon(false);
  const { runs } = await back;
  expect(runs.at(-1)?.steps.map(({ outcome }) => outcome?.verdict)).toEqual(['done', 'done']);
  expect([...lost]).toEqual([]);
  const pods = await podsIn(space);
  expect(pods).toHaveLength(2);
  expect(pods.every(isReady)).toBe(true);
  expect(await usedIn(space)).toEqual([SECRET]);
  expect(await nextIn(space)).toBeUndefined();
});
