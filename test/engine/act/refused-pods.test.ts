// New Pods that admission refuses: the roll-out stops within a minute, in the words of whoever refuses them, and not at its deadline.
import { afterEach, describe, expect, it } from 'vitest';
import { watchRefusedPods } from '../../../src/actions/roll-out/refused-pods.ts';
import type { WorkloadStanding } from '../../../src/actions/roll-out/standing.ts';
import type { WorkloadObject } from '../../../src/domain/kubernetes/objects.ts';
import { AppError } from '../../../src/errors.ts';
import type { Cluster, KubernetesObject, ListQuery } from '../../../src/ports/cluster.ts';
import type { Harness } from '../harness.ts';
import { begun, last, podsOf, settled, stepOf, uids } from './rolling.ts';

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.close();
  harness = undefined;
});

const SECURITY =
  'pods "a-7d9f-" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true)';
const QUOTA =
  'pods "a-7d9f-" is forbidden: exceeded quota: full, requested: pods=1, used: pods=2, limited: pods=2';
const WEBHOOK = 'admission webhook "guard.example.test" denied the request: not from here';

/** As a Deployment shows it whose ReplicaSet could not make a Pod. */
const failing = (object: WorkloadObject, message: string): WorkloadObject => ({
  ...object,
  status: {
    ...object.status,
    conditions: [
      ...(object.status?.conditions ?? []),
      { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message },
    ],
  },
});

/** No new Pod of `a` comes, because its ServiceAccount is gone; `message` is what its Deployment says of it. */
async function refused(message: string, killedFirst = false): Promise<[Harness, string]> {
  const [h, id] = await begun(
    { a: { replicas: 2 }, b: { replicas: 2 } },
    { killedFirst, cap: { percent: 50, most: 1 } },
  );
  harness = h;
  const [cluster] = h.connected;
  if (cluster === undefined) throw new Error('no cluster');
  h.cluster().seed.serviceAccount('payments', 'other');
  await cluster.patch(
    {
      resource: { group: 'apps', version: 'v1', plural: 'deployments', namespaced: true },
      namespace: 'payments',
      name: 'a',
    },
    [{ op: 'replace', path: '/spec/template/spec/serviceAccountName', value: 'nobody' }],
  );
  const standIn: Cluster = {
    ...cluster,
    list: async <T extends KubernetesObject>(query: ListQuery) => {
      const found = await cluster.list<T>(query);
      if (query.resource.plural !== 'deployments') return found;
      return found.map((each) =>
        each.metadata.name === 'a'
          ? (failing(each as unknown as WorkloadObject, message) as unknown as T)
          : each,
      );
    },
  };
  h.deps.clusters = new Map([['prod', standIn]]);
  return [h, id];
}

describe('a Deployment whose new Pods are refused', () => {
  it.each([
    [
      'Pod Security',
      SECURITY,
      /Pod Security \(restricted:latest\) refused it: "violates .*runAsNonRoot.*get namespace payments --show-labels/,
      40_000,
    ],
    ['a webhook', WEBHOOK, /admission webhook guard\.example\.test refused it: "not from here"/, 40_000],
    [
      'a quota',
      QUOTA,
      /ResourceQuota full refused it: "exceeded quota.*kubectl --context prod -n payments describe resourcequota full/,
      90_000,
    ],
  ])('by %s stops the roll-out long before its deadline', async (_, message, words, within) => {
    const [h, id] = await refused(message);
    const from = h.now();
    await h.click(id, 'approve', 'UINES');
    await h.run(id);
    expect(last(h, id)?.stopped).toMatch(/Deployment\/a: Its new Pods are refused\./);
    expect(last(h, id)?.stopped).toMatch(words);
    expect(h.now() - from).toBeLessThan(within + 20_000);
    expect(stepOf(h, id)?.memory?.blocked).toEqual(['Deployment/a']);
  });

  it('keeps no other from being replaced, once the old token is dead', async () => {
    const [h, id] = await refused(SECURITY, true);
    const before = await podsOf(h);
    await h.click(id, 'approve', 'UINES');
    await h.run(id);
    await settled(h);
    const after = await podsOf(h);
    expect(uids(after, 'b').some((uid) => uids(before, 'b').includes(uid))).toBe(false);
    expect(last(h, id)?.stopped).toMatch(/Deployment\/a: Its new Pods are refused\. Pod Security/);
    expect(stepOf(h, id)?.memory?.blocked).toEqual(['Deployment/a']);
  });
});

const standing = (kind: string, line: string): WorkloadStanding => ({
  target: { kind, name: 'db', uid: 'u-1', consent: false },
  path: `${kind}/db`,
  pods: [],
  old: [],
  at: 'going',
  line,
});

/** A cluster that has these events and nothing else. */
function watching(events: object[] | AppError, began = 0) {
  let now = 1_000_000;
  const asked: ListQuery[] = [];
  const cluster = {
    name: 'prod',
    list: async (query: ListQuery) => {
      asked.push(query);
      if (events instanceof AppError) throw events;
      return events;
    },
  } as unknown as Cluster;
  const tools = { cluster, memory: { began }, now: () => now } as unknown as Parameters<
    typeof watchRefusedPods
  >[0];
  const look = watchRefusedPods(tools, 'payments');
  return {
    asked,
    async lookAfter(ms: number, seen: WorkloadStanding): Promise<WorkloadStanding | undefined> {
      now += ms;
      return (await look([seen]))[0];
    },
  };
}
const event = (message: string, ms = 1_000_000) => ({
  metadata: { name: 'e', uid: 'e', resourceVersion: '1' },
  message,
  lastTimestamp: new Date(ms).toISOString(),
});

describe('a controller that says it in events alone', () => {
  it.each([
    // As 1.37.2 was seen to write it, and without the capital.
    ['StatefulSet', `Create Pod db-1 in StatefulSet db failed error: ${SECURITY}`],
    ['StatefulSet', `create Pod db-1 in StatefulSet db failed error: ${SECURITY}`],
    ['DaemonSet', `Error creating: ${SECURITY}`],
    ['DaemonSet', `(combined from similar events): Error creating: ${SECURITY}`],
  ])('%s: is heard once nothing moves', async (kind, message) => {
    const { lookAfter, asked } = watching([event(message)]);
    const seen = standing(kind, '1 of 2 Pods are Ready.');
    expect((await lookAfter(0, seen))?.at).toBe('going');
    expect((await lookAfter(10_000, seen))?.at).toBe('going');
    expect(asked).toEqual([]);
    const end = await lookAfter(6_000, seen);
    expect(end).toMatchObject({
      at: 'stuck',
      line: expect.stringContaining('Pod Security (restricted:latest)'),
    });
    expect(asked[0]?.fieldSelector).toBe('involvedObject.uid=u-1,reason=FailedCreate');
  });

  it('is waited for while something moves', async () => {
    const { lookAfter } = watching([event(`Error creating: ${SECURITY}`)]);
    for (let ready = 0; ready < 10; ready++)
      expect((await lookAfter(10_000, standing('DaemonSet', `${ready} of 10 Pods are available.`)))?.at).toBe(
        'going',
      );
  });

  it('is waited for longer where room in a quota may come back', async () => {
    const { lookAfter } = watching([event(`Error creating: ${QUOTA}`)]);
    const seen = standing('DaemonSet', '1 of 2 Pods are available.');
    await lookAfter(0, seen);
    expect((await lookAfter(50_000, seen))?.at).toBe('going');
    expect((await lookAfter(20_000, seen))?.at).toBe('stuck');
  });

  it('is not taken at words from before the roll-out', async () => {
    const { lookAfter } = watching([event(`Error creating: ${SECURITY}`, 0)], 900_000);
    const seen = standing('DaemonSet', '1 of 2 Pods are available.');
    await lookAfter(0, seen);
    expect((await lookAfter(120_000, seen))?.at).toBe('going');
  });

  it('is left to the deadline where the worker may not read events', async () => {
    const { lookAfter } = watching(new AppError('forbidden', 'The worker lacks a permission.'));
    const seen = standing('StatefulSet', '1 of 2 Pods are Ready.');
    await lookAfter(0, seen);
    const line = '1 of 2 Pods are Ready. The worker lacks a permission.';
    expect(await lookAfter(120_000, seen)).toMatchObject({ at: 'going', line });
  });
});
