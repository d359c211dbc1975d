// A worker that wakes from a long pause does nothing that was done, undone or overtaken meanwhile, wherever it fell asleep.
import { afterEach, describe, expect, it } from 'vitest';
import { INVALID_SINCE } from '../../../src/domain/kubernetes/legacy-token-labels.ts';
import type { PodSpec } from '../../../src/domain/kubernetes/objects.ts';
import { secretsOf } from '../../../src/domain/kubernetes/pod-references.ts';
import { resources } from '../../../src/domain/kubernetes/resources.ts';
import { doWork } from '../../../src/engine/door/work.ts';
import { type Harness, seedLegacy, startHarness, statusWith } from '../harness.ts';
import { grant } from './moving.ts';
import { POINTS, type Point, type Sleeper, sleeper } from './sleepers.ts';

const MINUTE = 60_000;
const SECRETS = '/api/v1/namespaces/payments/secrets';
const NEXT = 'api-token-r20261124';

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.close();
  harness = undefined;
});

const label = (h: Harness): string | undefined =>
  h.cluster().get(`${SECRETS}/api-token`)?.metadata.labels?.[INVALID_SINCE];
const runsOf = (h: Harness, id: string) =>
  h
    .incident(id)
    .runs.map(({ kind, stopped, steps }) => [kind, stopped, steps.map((one) => one.outcome?.verdict)]);
const undo = (h: Harness, id: string) => h.click(id, 'undo', 'UINES', { reason: 'production is down' });

/** It begins, sleeps, and the others do what they do in the meantime; then it wakes, and what it changes is nothing. */
async function outlived(
  h: Harness,
  id: string,
  begin: (sleeping: Sleeper) => Promise<void>,
  sleeping: Sleeper,
  meanwhile: () => Promise<void>,
): Promise<void> {
  const work = begin(sleeping);
  await sleeping.asleep;
  h.advance(MINUTE);
  await meanwhile();
  const objects = h.cluster().objects();
  const runs = runsOf(h, id);
  sleeping.wake();
  await work;
  expect(withoutStatus(h.cluster().objects())).toEqual(withoutStatus(objects));
  expect(runsOf(h, id)).toEqual(runs);
  expect(h.incident(id).troubles.run).toBeUndefined();
}

/** What nobody but the controllers writes. */
const withoutStatus = (objects: object[]) => objects.map((object) => ({ ...object, status: undefined }));

const job = (id: string, kind: 'run' | 'investigate') => async (sleeping: Sleeper) =>
  await doWork(sleeping.deps, { kind, incidentId: id });

describe('a quarantine by policy', () => {
  it.each<Point>(['after its note', 'in its write'])(
    'that was undone is not done again (%s)',
    async (point) => {
      const h = await startHarness();
      harness = h;
      const { incidentId: id } = await h.leak(await seedLegacy(h.cluster(), { team: 'a' }));
      const sleeping = sleeper(h, point);
      await outlived(h, id, job(id, 'investigate'), sleeping, async () => {
        await h.run(id);
        expect(label(h)).toBeDefined();
        await undo(h, id);
        await h.run(id);
        expect(label(h)).toBeUndefined();
      });
      expect(label(h)).toBeUndefined();
    },
  );

  it('that was paused while it slept waits for who lets it go on', async () => {
    const h = await startHarness();
    harness = h;
    const token = await seedLegacy(h.cluster());
    const { incidentId: id } = await h.leak(token);
    const sleeping = sleeper(h, 'after its note');
    const by = { id: 'UINES', teamId: 'T1', guest: false, bot: false, deactivated: false, groups: [] };
    const work = doWork(sleeping.deps, { kind: 'investigate', incidentId: id });
    await sleeping.asleep;
    h.advance(MINUTE);
    await h.front.pause(by, 'it broke payments');
    sleeping.wake();
    await work;
    expect(label(h)).toBeUndefined();
    await h.front.pause(by);
    await h.run(id, MINUTE);
    expect(label(h)).toBeDefined();
  });
});

/** A quarantine that a person presses, for a Secret whose token nobody handed over. */
async function pressed(): Promise<[Harness, string]> {
  const h = await startHarness();
  harness = h;
  await seedLegacy(h.cluster());
  const at = { cluster: 'prod', namespace: 'payments', secret: 'api-token' };
  const { incidentId: id } = await h.front.report({
    alert: { source: 'slash', reporter: 'UMAYA', subject: { kind: 'coordinates', at } },
  });
  await h.run(id);
  await h.click(id, 'contain', 'UINES');
  return [h, id];
}

describe('a quarantine by a person', () => {
  it.each(POINTS)('that was undone is not done again (%s)', async (point) => {
    const [h, id] = await pressed();
    await outlived(h, id, job(id, 'run'), sleeper(h, point), async () => {
      await h.run(id);
      expect(label(h)).toBeDefined();
      await undo(h, id);
      await h.run(id);
    });
    expect(label(h)).toBeUndefined();
  });

  it.each(POINTS)(
    'that was undone, done again by a person and left is not lifted by the undo that slept (%s)',
    async (point) => {
      const [h, id] = await pressed();
      await h.run(id);
      await undo(h, id);
      await outlived(h, id, job(id, 'run'), sleeper(h, point), async () => {
        await h.run(id);
        await h.click(id, 'contain', 'UINES');
        await h.run(id);
        expect(label(h)).toBeDefined();
      });
      expect(label(h)).toBeDefined();
    },
  );

  it('that fails for one who has lost it stops nobody', async () => {
    const [h, id] = await pressed();
    const sleeping = sleeper(h, 'in its write');
    await outlived(h, id, job(id, 'run'), sleeping, async () => {
      await h.run(id);
      h.cluster().faults.failNext(1, 403, ({ method }) => method === 'PATCH');
    });
    expect(label(h)).toBeDefined();
  });
});

async function rotating(): Promise<[Harness, string, string]> {
  const h = await startHarness();
  harness = h;
  const token = await seedLegacy(h.cluster());
  h.cluster().seed.deployment('payments', 'web', { secretMounts: ['api-token'], replicas: 2 });
  const { incidentId: id } = await h.leak(token, { goal: { do: 'rotate', strategy: 'new-secret' } });
  await h.run(id);
  await h.click(id, 'approve', 'UINES');
  return [h, id, token];
}
const template = (h: Harness): string[] => {
  const found = h.cluster().get('/apis/apps/v1/namespaces/payments/deployments/web');
  return [...secretsOf((found as unknown as { spec: { template: { spec: PodSpec } } }).spec.template.spec)];
};

describe('a rotation that was taken back', () => {
  it.each<[Point, Parameters<typeof sleeper>[2], string]>([
    ['after its note', 'create', ''],
    ['in its write', 'patch', '"web"'],
    ['after its read', 'patch', NEXT],
    ['in its write', 'patch', '"api-token"'],
  ])('is not done by who slept through all of that (%s, %s %s)', async (point, write, of) => {
    const [h, id, token] = await rotating();
    await outlived(h, id, job(id, 'run'), sleeper(h, point, write, of), async () => {
      await h.run(id, 10 * MINUTE);
      expect(template(h)).toEqual([NEXT]);
      await undo(h, id);
      await h.run(id, 10 * MINUTE);
      expect(template(h)).toEqual(['api-token']);
    });
    expect(h.cluster().get(`${SECRETS}/${NEXT}`)).toBeUndefined();
    const [cluster] = h.connected;
    expect(cluster && (await statusWith(cluster, token))).toBe('accepted');
  });

  it.each<Point>(['in its write', 'after its note'])(
    'keeps the old Secret, whose deletion slept (%s)',
    async (point) => {
      const [h, id] = await rotating();
      await h.run(id, 10 * MINUTE);
      await h.nobodyOutside(id);
      h.advance(25 * 60 * MINUTE);
      const sleeping = sleeper(h, point, 'remove');
      await outlived(
        h,
        id,
        async ({ deps }) => {
          await doWork(deps, { kind: 'soak', incidentId: id });
          await doWork(deps, { kind: 'run', incidentId: id });
        },
        sleeping,
        async () => {
          const run = h.incident(id).runs.at(-1)?.id ?? '';
          await h.forge(id, { type: 'run-stopped', run, reason: 'Stopped by a newer policy.' });
          await undo(h, id);
          await h.run(id, 10 * MINUTE);
          expect(template(h)).toEqual(['api-token']);
        },
      );
      expect(h.cluster().get(`${SECRETS}/api-token`)).toBeDefined();
      expect(label(h)).toBeUndefined();
    },
  );
});

it('a ServiceAccount that is in use again is not deleted by who slept with the deletion in hand', async () => {
  const h = await startHarness({ settings: { autoContain: 'off' } });
  harness = h;
  const token = await seedLegacy(h.cluster());
  grant(h);
  h.cluster().seed.deployment('payments', 'web', { serviceAccount: 'api', replicas: 2 });
  const goal = { do: 'rotate', strategy: 'new-service-account' } as const;
  const { incidentId: id } = await h.leak(token, { goal });
  await h.run(id);
  await h.click(id, 'approve', 'UINES');
  const sleeping = sleeper(h, 'in its write', 'remove', '"api"');
  await outlived(h, id, job(id, 'run'), sleeping, async () => {
    const run = h.incident(id).runs.at(-1)?.id ?? '';
    await h.forge(id, { type: 'run-stopped', run, reason: 'Stopped by a newer policy.' });
    await undo(h, id);
    await h.run(id, 10 * MINUTE);
    expect(h.incident(id).runs.at(-1)).toMatchObject({ kind: 'undo', steps: [{}, {}] });
  });
  const account = '/api/v1/namespaces/payments/serviceaccounts';
  expect(h.cluster().get(`${account}/api`)).toBeDefined();
  expect(h.cluster().get(`${account}/api-r20261124`)).toBeUndefined();
});

it('a restart that slept does not put an older moment over a later one, which would roll everything again', async () => {
  const h = await startHarness({ settings: { autoContain: 'off' } });
  harness = h;
  const token = await seedLegacy(h.cluster());
  h.cluster().seed.deployment('payments', 'web', { serviceAccount: 'api', replicas: 2 });
  const { incidentId: id } = await h.leak(token, { goal: { do: 'restart' } });
  await h.run(id);
  await h.click(id, 'approve', 'UINES');
  const restartedAt = () => {
    const found = h.cluster().get('/apis/apps/v1/namespaces/payments/deployments/web') as unknown as {
      spec: { template: { metadata: { annotations?: Record<string, string> } } };
    };
    return found.spec.template.metadata.annotations?.['kubectl.kubernetes.io/restartedAt'];
  };
  await outlived(h, id, job(id, 'run'), sleeper(h, 'in its write'), async () => {
    await h.run(id, MINUTE);
    const path = '/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt';
    const ref = { resource: resources.deployments, namespace: 'payments', name: 'web' };
    await h.connected[0]?.patch(ref, [{ op: 'add', path, value: '2030-01-01T00:00:00Z' }]);
    // Until its controller has done what that asks for.
    const isSettled = () => {
      const sets = h.cluster().objects() as { kind: string; spec?: { replicas?: number } }[];
      const counts = sets.filter(({ kind }) => kind === 'ReplicaSet').map(({ spec }) => spec?.replicas);
      return counts.length === 3 && counts.filter((count) => count === 0).length === 2;
    };
    while (!isSettled()) await h.deps.sleep(1, new AbortController().signal);
    for (let turn = 0; turn < 5; turn++) await h.deps.sleep(1, new AbortController().signal);
  });
  expect(restartedAt()).toBe('2030-01-01T00:00:00Z');
});

it('a step whose lease may have lapsed writes nothing more, and says nothing about the step', async () => {
  const [h, id] = await rotating();
  let held = true;
  const locks = { take: async () => ({ held: () => held, release: async () => {} }) };
  const sleeping = sleeper({ ...h, deps: { ...h.deps, locks } }, 'in its write', 'create');
  const work = doWork(sleeping.deps, { kind: 'run', incidentId: id });
  await sleeping.asleep;
  held = false;
  sleeping.wake();
  await work;
  const { requests } = h.cluster();
  const written = requests.filter(({ method, path }) => method === 'PATCH' && !path.includes('dryRun'));
  expect(written.filter(({ path }) => path.includes('/payments/'))).toEqual([]);
  expect(h.memory.events(id).map(({ type }) => type)).not.toContain('trouble');
  expect(h.incident(id).runs[0]?.stopped).toBeUndefined();
  await h.run(id, 10 * MINUTE);
  expect(template(h)).toEqual([NEXT]);
  expect(
    h
      .incident(id)
      .runs.at(-1)
      ?.steps.every(({ outcome }) => outcome?.verdict !== 'not-done'),
  ).toBe(true);
});

it('the undo of a rotation holds its ServiceAccount as the rotation does; that of a quarantine waits for nobody', async () => {
  const [h, id] = await rotating();
  await h.run(id, 10 * MINUTE);
  const names: string[] = [];
  const { locks } = h.deps;
  h.deps.locks = {
    take: async (name, ttlMs) => {
      names.push(name);
      return await locks.take(name, ttlMs);
    },
  };
  await undo(h, id);
  await h.run(id, 10 * MINUTE);
  expect(new Set(names)).toEqual(new Set([`run:${id}`, 'change:prod/payments/api']));
  await h.close();
  names.length = 0;
  const [other, quarantined] = await pressed();
  await other.run(quarantined);
  other.deps.locks = { take: async () => undefined };
  await undo(other, quarantined);
  await other.run(quarantined);
  expect(label(other)).toBeUndefined();
});
