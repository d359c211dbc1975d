// A rotation from the request to the proof, by the real engine against a simulated cluster, for each way of going about it.
import { afterEach, describe, expect, it } from 'vitest';
import type { Incident } from '../../../src/domain/incident/incident.ts';
import type { PodSpec } from '../../../src/domain/kubernetes/objects.ts';
import { secretsOf } from '../../../src/domain/kubernetes/pod-references.ts';
import type { Goal } from '../../../src/domain/plan/goal.ts';
import { DEFAULT_PACE } from '../../../src/domain/plan/waves.ts';
import { type Harness, seedLegacy, startHarness, statusWith } from '../harness.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let harness: Harness | undefined;
afterEach(() => harness?.close());

/** Two workloads mount the leaked token's Secret, one runs as the ServiceAccount alone, and one has nothing to do with it. */
async function opened(
  goal: Goal,
  { secret = true, pace = DEFAULT_PACE } = {},
): Promise<{ h: Harness; id: string; token: string }> {
  const h = await startHarness({ settings: { pace } });
  harness = h;
  const { seed } = h.cluster();
  const token = await seedLegacy(h.cluster());
  const mounts = { serviceAccount: 'default', secretMounts: ['api-token'], replicas: 2 };
  seed.deployment('payments', 'mounted', mounts);
  seed.deployment('payments', 'env', { serviceAccount: 'default', envSecret: 'api-token', replicas: 3 });
  seed.deployment('payments', 'runs-as', { serviceAccount: 'api', replicas: 2 });
  seed.deployment('payments', 'bystander', { replicas: 1 });
  const at = {
    cluster: 'prod',
    namespace: 'payments',
    ...(secret ? { secret: 'api-token' } : { serviceAccount: 'api' }),
  };
  const { incidentId } = await h.front.report({
    alert: { source: 'slash', reporter: 'UMAYA', subject: { kind: 'coordinates', at }, goal },
  });
  await h.run(incidentId);
  return { h, id: incidentId, token };
}

const actionsOf = ({ plan }: Incident): string[] => plan?.steps.map(({ action }) => action) ?? [];

interface Pod {
  kind?: string;
  metadata: { uid: string; name: string; labels?: Record<string, string>; deletionTimestamp?: string };
  spec?: PodSpec;
}

const podsOf = (h: Harness, app: string): Pod[] =>
  (h.cluster().objects() as Pod[]).filter(
    ({ kind, metadata }) => kind === 'Pod' && metadata.name.startsWith(`${app}-`),
  );
const uids = (pods: Pod[]): string[] => pods.map(({ metadata }) => metadata.uid).sort();

const refersTo = ({ spec = {} }: Pod): string[] => [...secretsOf(spec)];

async function answers(h: Harness, token: string): Promise<string> {
  const [cluster] = h.connected;
  return cluster ? await statusWith(cluster, token) : '';
}

describe('a new token Secret', () => {
  it('is in use everywhere before the old one is switched off, which is deleted a day after the proof', async () => {
    const { h, id, token } = await opened({ do: 'rotate', strategy: 'new-secret' });
    expect(actionsOf(h.incident(id))).toEqual([
      'replace-token-secret',
      'repoint-workloads',
      'quarantine-token',
      'delete-token-secret',
    ]);
    const bystanders = uids(podsOf(h, 'bystander'));
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 10 * MINUTE);
    const rotated = h.incident(id);
    expect(rotated.proof?.outcome?.verdict).toBe('done');
    // Nobody handed the old token over, and yet each server was asked with it, while it is only switched off.
    expect(rotated.proof?.rounds.at(-1)).toMatchObject({ level: 'each-server' });
    expect(rotated.proof?.rounds.at(-1)?.answers.map(({ answer }) => answer)).toEqual(['refused']);
    expect(rotated.closed).toBeUndefined();
    expect(await answers(h, token)).toBe('refused');
    const fresh = h.cluster().get('/api/v1/namespaces/payments/secrets/api-token-r20261124') as unknown as {
      data: { token: string };
    };
    expect(await answers(h, Buffer.from(fresh.data.token, 'base64').toString())).toBe('accepted');
    for (const app of ['mounted', 'env'])
      for (const pod of podsOf(h, app)) {
        expect(refersTo(pod)).toEqual(['api-token-r20261124']);
      }
    expect(uids(podsOf(h, 'bystander'))).toEqual(bystanders);
    expect(h.cluster().get('/api/v1/namespaces/payments/secrets/api-token')).toBeDefined();

    expect(await h.click(id, 'outside', 'UMAYA', { reason: 'nobody but the two workloads' })).toMatchObject({
      decided: true,
    });
    await h.run(id, DAY + MINUTE);
    expect(h.memory.events(id).filter(({ type }) => type === 'soaked')).toHaveLength(1);
    expect(h.cluster().get('/api/v1/namespaces/payments/secrets/api-token')).toBeUndefined();
    expect(h.incident(id)).toMatchObject({ status: 'resolved', closed: { as: 'resolved' } });
  });

  it('keeps the old one where somebody says so, until its deletion is approved', async () => {
    const { h, id } = await opened({ do: 'rotate', strategy: 'new-secret' });
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 10 * MINUTE);
    expect(await h.click(id, 'cancel-soak', 'UMAYA')).toMatchObject({ decided: true });
    await h.run(id, 2 * DAY);
    expect(h.cluster().get('/api/v1/namespaces/payments/secrets/api-token')).toBeDefined();
    await h.click(id, 'approve', 'UINES');
    await h.run(id, MINUTE);
    expect(h.cluster().get('/api/v1/namespaces/payments/secrets/api-token')).toBeUndefined();
  });

  it('is deleted in time whatever somebody said whom the worker does not let, and is not resolved on such a word', async () => {
    const { h, id } = await opened({ do: 'rotate', strategy: 'new-secret' });
    await h.click(id, 'approve', 'UINES');
    await h.run(id, MINUTE);
    await h.forge(
      id,
      { type: 'decided', decision: { verb: 'cancel-soak', by: 'USTRANGER' } },
      { type: 'decided', decision: { verb: 'outside', by: 'USTRANGER', reason: 'nobody' } },
    );
    await h.run(id, DAY + MINUTE);
    const refused = h.memory.events(id).flatMap((one) => (one.type === 'decision-refused' ? [one.verb] : []));
    expect(refused.sort()).toEqual(['cancel-soak', 'outside']);
    expect(h.cluster().get('/api/v1/namespaces/payments/secrets/api-token')).toBeUndefined();
    expect(h.incident(id).closed).toBeUndefined();
    await h.nobodyOutside(id);
    expect(h.incident(id).closed?.as).toBe('resolved');
  });

  it('is taken back whole while the old one is there: workloads, Secret and label', async () => {
    const { h, id, token } = await opened({ do: 'rotate', strategy: 'new-secret' });
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 10 * MINUTE);
    await h.click(id, 'undo', 'UINES', { reason: 'the new token breaks the batch' });
    await h.run(id, 10 * MINUTE);
    expect(await answers(h, token)).toBe('accepted');
    expect(h.cluster().get('/api/v1/namespaces/payments/secrets/api-token-r20261124')).toBeUndefined();
    for (const pod of podsOf(h, 'mounted')) expect(refersTo(pod)).toEqual(['api-token']);
    expect(h.incident(id)).toMatchObject({ liveAgain: true, status: 'awaiting-approval' });
  });

  it('is not made twice by a second request for the same', async () => {
    const { h, id } = await opened({ do: 'rotate', strategy: 'new-secret' });
    const at = { cluster: 'prod', namespace: 'payments', secret: 'api-token' };
    const again = await h.front.report({
      alert: {
        source: 'slash',
        reporter: 'UINES',
        subject: { kind: 'coordinates', at },
        goal: { do: 'rotate', strategy: 'new-secret' },
      },
    });
    expect(again).toEqual({ incidentId: id, created: false });
  });
});

describe('re-creation in place', () => {
  it('switches off at once, makes the ServiceAccount anew and replaces its Pods', async () => {
    const { h, id, token } = await opened({ do: 'rotate', strategy: 'recreate' }, { secret: false });
    expect(actionsOf(h.incident(id))).toEqual([
      'quarantine-token',
      'recreate-service-account',
      'recreate-token-secrets',
      'restart-workloads',
    ]);
    const users = ['runs-as', 'mounted', 'env'];
    const before = users.flatMap((app) => uids(podsOf(h, app)));
    const others = uids(podsOf(h, 'bystander'));
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 10 * MINUTE);
    expect(await answers(h, token)).toBe('refused');
    const after = users.flatMap((app) => uids(podsOf(h, app)));
    expect(after.filter((uid) => before.includes(uid))).toEqual([]);
    expect(uids(podsOf(h, 'bystander'))).toEqual(others);
    expect(h.incident(id)).toMatchObject({ status: 'needs-human' });
    await h.click(id, 'outside', 'UMAYA', { reason: 'the CI job has the new one' });
    await h.run(id, MINUTE);
    expect(h.incident(id)).toMatchObject({ status: 'resolved' });
  });
});

describe('a restart', () => {
  it('replaces the Pods that use it, revokes nothing, and needs no proof', async () => {
    const { h, id, token } = await opened({ do: 'restart' }, { secret: false });
    expect(actionsOf(h.incident(id))).toEqual(['restart-workloads']);
    const before = ['mounted', 'env', 'runs-as'].flatMap((app) => uids(podsOf(h, app)));
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 10 * MINUTE);
    const after = ['mounted', 'env', 'runs-as'].flatMap((app) => uids(podsOf(h, app)));
    expect(after).toHaveLength(before.length);
    expect(after.filter((uid) => before.includes(uid))).toEqual([]);
    expect(await answers(h, token)).toBe('accepted');
    expect(h.incident(id)).toMatchObject({ status: 'resolved', closed: { as: 'resolved' } });
    expect(h.incident(id).proof).toBeUndefined();
  });
});

it('every token Secret of a ServiceAccount that is rotated is asked about at each server', async () => {
  const { h, id } = await opened({ do: 'rotate', strategy: 'new-secret' }, { secret: false });
  await h.click(id, 'approve', 'UINES');
  await h.run(id, 10 * MINUTE);
  expect(h.incident(id).proof).toMatchObject({ outcome: { verdict: 'done' } });
  expect(h.incident(id).proof?.rounds.at(-1)).toMatchObject({
    level: 'each-server',
    answers: [{ answer: 'refused', control: 'accepted' }],
  });
});

describe('users outside the cluster', () => {
  it('keep a rotation open until a person says what became of them, in words', async () => {
    const { h, id } = await opened({ do: 'rotate', strategy: 'recreate' }, { secret: false });
    expect(await h.click(id, 'outside', 'UMAYA', { reason: 'too early' })).toMatchObject({ decided: false });
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 2 * DAY);
    expect(h.incident(id).proof?.outcome?.verdict).toBe('done');
    expect(h.incident(id).closed).toBeUndefined();
    expect(await h.click(id, 'outside', 'UMAYA')).toMatchObject({
      decided: false,
      refusal: { code: 'reason-missing' },
    });
    await h.click(id, 'outside', 'UMAYA', { reason: 'no kubeconfig holds it' });
    await h.run(id, MINUTE);
    expect(h.incident(id)).toMatchObject({
      closed: { as: 'resolved' },
      outside: { by: 'UMAYA', reason: 'no kubeconfig holds it' },
    });
  });
});

describe('a dry run', () => {
  it.each<Goal>([
    { do: 'rotate', strategy: 'new-secret', dryRun: true },
    { do: 'rotate', strategy: 'recreate', dryRun: true },
    { do: 'restart', dryRun: true },
  ])('shows the plan, changes nothing and closes itself (%o)', async (goal) => {
    const { h, id, token } = await opened(goal);
    expect(h.incident(id)).toMatchObject({ status: 'dry-run', closed: { as: 'dry-run' } });
    expect(h.incident(id).plan?.steps.every(({ kubectl }) => kubectl.length > 0)).toBe(true);
    expect(await h.click(id, 'approve', 'UINES')).toMatchObject({ decided: false });
    expect(
      h
        .cluster()
        .requests.filter(({ method, path }) => method !== 'GET' && !/selfsubject|dryRun=All$/.test(path)),
    ).toEqual([]);
    expect(await answers(h, token)).toBe('accepted');
  });
});

it.each<[Goal, secret: boolean]>([
  [{ do: 'rotate', strategy: 'new-secret' }, true],
  [{ do: 'rotate', strategy: 'recreate' }, false],
  [{ do: 'restart' }, false],
])('goes at the pace that the worker is configured for, which the plan names (%o)', async (goal, secret) => {
  const { h, id } = await opened(goal, { secret, pace: { percent: 100, most: 7, deadline: 90_000 } });
  const roll = h.incident(id).plan?.steps.find(({ params }) => 'workloads' in params);
  expect(roll?.params).toMatchObject({ cap: { percent: 100, most: 7 }, deadlineSeconds: 90 });
  expect(roll?.breaks).toContain('at most 100 % of the workloads and 7 at once');
});

describe('the way that is chosen', () => {
  it('is named with what it costs, and another that does not fit is said so', async () => {
    const { h, id } = await opened({ do: 'rotate', strategy: 'replace-pod' });
    const notes = h.incident(id).plan?.notes.join('\n') ?? '';
    expect(notes).toContain('replace-pod does not fit here, so new-secret is planned.');
    expect(notes).toMatch(/What dies:.*What is interrupted:.*Other ways: recreate/);
  });

  it('changes when somebody asks for another, and old buttons mean nothing then', async () => {
    const { h, id } = await opened({ do: 'rotate', strategy: 'new-secret' });
    const old = h.incident(id).plan?.hash ?? '';
    const at = { cluster: 'prod', namespace: 'payments', secret: 'api-token' };
    await h.front.report({
      alert: {
        source: 'slash',
        reporter: 'UMAYA',
        subject: { kind: 'coordinates', at },
        goal: { do: 'rotate', strategy: 'recreate' },
      },
    });
    await h.run(id);
    expect(actionsOf(h.incident(id))).toContain('recreate-service-account');
    expect(await h.click(id, 'approve', 'UINES', { hash: old })).toMatchObject({ decided: false });
  });
});
