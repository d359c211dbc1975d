// A restart in waves by the real engine against a simulated cluster: every Pod is another one, whatever is killed in between.
import { afterEach, describe, expect, it } from 'vitest';
import { deleteTokenSecret } from '../../../src/actions/delete-token-secret.ts';
import { restartWorkloads } from '../../../src/actions/restart-workloads.ts';
import { type RollOut, rollOutOf } from '../../../src/actions/roll-out/params.ts';
import { DEFAULT_CAP } from '../../../src/domain/plan/waves.ts';
import { type Harness, seedLegacy, startHarness } from '../harness.ts';
import {
  begun as begin,
  type Given,
  isReady,
  last,
  POD_START_MS,
  patched,
  podsOf,
  restarting,
  restarts,
  type Seeds,
  settled,
  stepOf,
  uids,
} from './rolling.ts';

let harness: Harness | undefined;
afterEach(() => harness?.close());

async function begun(seeds: Seeds, given?: Given): Promise<[Harness, string]> {
  const [h, id] = await begin(seeds, given);
  harness = h;
  return [h, id];
}

const SIX: Seeds = Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [name, { replicas: 2 }]));
const apps = Object.keys(SIX);

describe('a restart', () => {
  it('leaves no Pod from before, and does not touch who does not use the token', async () => {
    const [h, id] = await begun(SIX);
    const before = await podsOf(h);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 120_000);
    expect(stepOf(h, id)?.outcome).toMatchObject({ verdict: 'done', facts: { pods: 12, workloads: 6 } });
    const after = await podsOf(h);
    expect(uids(after, ...apps)).toHaveLength(12);
    expect(uids(after, ...apps).filter((uid) => uids(before, ...apps).includes(uid))).toEqual([]);
    expect(after.every(isReady)).toBe(true);
    expect(uids(after, 'bystander')).toEqual(uids(before, 'bystander'));
    expect(patched(h).toSorted()).toEqual(apps);
  });

  it('begins no wave before the one before is Ready, and takes no Ready Pod from anybody', async () => {
    const [h, id] = await begun(SIX, { cap: { percent: 34, most: 5 } });
    const [cluster] = h.deps.clusters.values();
    if (cluster === undefined) throw new Error('no cluster');
    let least = Number.POSITIVE_INFINITY;
    const unready: number[] = [];
    h.deps.clusters = new Map([
      [
        'prod',
        {
          ...cluster,
          patch: async (...args) => {
            const pods = await podsOf(h);
            const counts = apps.map(
              (app) => pods.filter((p) => p.metadata.labels.app === app && isReady(p)).length,
            );
            least = Math.min(least, ...counts);
            unready.push(pods.filter((pod) => !isReady(pod)).length);
            return await cluster.patch(...args);
          },
        },
      ],
    ]);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 120_000);
    expect(stepOf(h, id)?.outcome?.verdict).toBe('done');
    expect(stepOf(h, id)?.memory?.waves).toHaveLength(2);
    expect(least).toBe(2);
    // The fourth patch opens the second wave: everything of the first is there by then.
    expect(unready[3]).toBe(0);
  });

  it('asks far less than a script would that watches one workload after the other', async () => {
    const fifty: Seeds = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [`w${index}`, { replicas: 3 }]),
    );
    const [h, id] = await begun(fifty);
    await h.click(id, 'approve', 'UINES');
    const before = h.cluster().requests.length;
    await h.run(id, 600_000);
    const asked = h
      .cluster()
      .requests.slice(before)
      .filter(({ path }) => path.includes('/payments/'));
    expect(stepOf(h, id)?.outcome?.verdict).toBe('done');
    // As seen with kubectl on a real control plane: 830 for 50 Deployments of 3.
    expect(asked.length).toBeLessThan(130);
    expect(stepOf(h, id)?.memory?.waves).toHaveLength(10);
  });

  it('of what was scaled to zero is nothing', async () => {
    const [h, id] = await begun({ idle: { replicas: 0 } });
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 60_000);
    expect(stepOf(h, id)?.outcome?.verdict).toBe('done');
    expect(restarts(h)).toEqual([]);
  });

  it('of a Deployment that was replaced by another of its name leaves that one alone', async () => {
    const [h, id] = await begun({ a: { replicas: 2 } });
    await h.click(id, 'approve', 'UINES');
    const resource = { group: 'apps', version: 'v1', plural: 'deployments', namespaced: true };
    await h.connected[0]?.remove({ resource, namespace: 'payments', name: 'a' }, {});
    h.cluster().seed.deployment('payments', 'a', { serviceAccount: 'api', replicas: 1 });
    await h.run(id, 300_000);
    expect(restarts(h)).toEqual([]);
  });
});

describe('a wave that does not come', () => {
  const held = async () => {
    // Mounts a Secret that does not exist: its new Pods do not start, as with an image that is gone.
    const [h, id] = await begun(
      { ...SIX, z: { replicas: 2, secretMounts: ['late'] } },
      {
        cap: { percent: 15, most: 2 },
        deadlineSeconds: 60,
      },
    );
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 600_000);
    return { h, id };
  };

  it('stops the run and names what holds it; what comes later is not begun', async () => {
    const { h, id } = await held();
    const run = last(h, id);
    expect(run?.stopped).toContain('Wave 4 of 4 did not become Ready within 60 s: Deployment/z');
    expect(stepOf(h, id)?.memory?.blocked).toEqual(['Deployment/z']);
  });

  it('is tried again when it is repaired, without rolling again what is done', async () => {
    const { h, id } = await held();
    const before = uids(await podsOf(h), ...apps);
    h.cluster().seed.secret('payments', 'late', {});
    await settled(h);
    await h.click(id, 'retry', 'UINES', { hash: last(h, id)?.id ?? '' });
    await h.run(id, 120_000);
    expect(stepOf(h, id)?.outcome?.verdict).toBe('done');
    expect(uids(await podsOf(h), ...apps)).toEqual(before);
    expect(patched(h)).toHaveLength(7);
  });

  it('is skipped when a person says so, and the end says that too', async () => {
    const { h, id } = await held();
    await h.click(id, 'skip', 'UINES', { hash: last(h, id)?.id ?? '' });
    await h.run(id, 120_000);
    expect(stepOf(h, id)?.outcome).toMatchObject({ verdict: 'done', facts: { skipped: 1 } });
    expect(stepOf(h, id)?.outcome?.detail).toContain('A person skipped Deployment/z');
  });

  it('is not skipped on the word of somebody whom the worker does not let, and nothing of that stays', async () => {
    const { h, id } = await held();
    const hash = last(h, id)?.id ?? '';
    await h.forge(id, { type: 'decided', decision: { verb: 'skip', by: 'UMAYA', hash } });
    expect(last(h, id)?.stopped).toMatch(/does not let UMAYA have a run go on/);
    await h.forge(id, { type: 'decided', decision: { verb: 'retry', by: 'USTRANGER', hash } });
    expect(last(h, id)?.stopped).toMatch(/does not let USTRANGER try a run again/);
    await h.click(id, 'retry', 'UINES', { hash });
    await h.run(id, 600_000);
    expect(last(h, id)?.stopped).toContain('did not become Ready within 60 s: Deployment/z');
    expect(stepOf(h, id)?.memory?.skipped ?? []).toEqual([]);
  });
});

describe('what only a person can do', () => {
  it('is left to the end and named; everything else is done', async () => {
    const [h, id] = await begun({ a: { replicas: 2 } });
    h.cluster().seed.pod('payments', 'debug', { serviceAccount: 'api', labels: { app: 'debug' } });
    await settled(h);
    await h.leak(h.cluster().seed.requestToken('payments', 'api'));
    const again = await h.leak(h.cluster().seed.requestToken('payments', 'api'));
    await h.run(again.incidentId);
    await h.click(again.incidentId, 'approve', 'UINES');
    await h.run(again.incidentId, 120_000);
    expect(last(h, again.incidentId)?.stopped).toContain('Not replaced: Pod/debug: It has no owner');
    expect(patched(h)).toEqual(['a']);
    expect(h.incident(id).runs).toEqual([]);
  });

  it('is done with consent: a bare Pod is made anew under its name', async () => {
    const h = await startHarness({
      actions: [restarting({ consent: ['Pod/debug'] })],
      settings: { autoContain: 'off' },
      clusters: { prod: { podStartMs: POD_START_MS } },
    });
    harness = h;
    const token = await seedLegacy(h.cluster());
    h.cluster().seed.pod('payments', 'debug', { serviceAccount: 'api', labels: { app: 'debug' } });
    await settled(h);
    const before = uids(await podsOf(h), 'debug');
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 120_000);
    expect(stepOf(h, id)?.outcome?.verdict).toBe('done');
    const after = (await podsOf(h)).filter(({ metadata }) => metadata.name === 'debug');
    expect(after).toHaveLength(1);
    expect(after[0]?.metadata.uid).not.toBe(before[0]);
  });
});

it('takes its defaults and consents from whoever asks, and nothing that changes by itself', () => {
  const params: RollOut = rollOutOf([], { namespace: 'payments' });
  expect(params).toMatchObject({ cap: DEFAULT_CAP, old: { rule: 'existing' }, killedFirst: false });
  expect(restartWorkloads.params.safeParse(JSON.parse(JSON.stringify(params))).success).toBe(true);
});

describe('a restart beside a kill', () => {
  it('that must come first is rolled after it, and the proof does not wait for the last Pod', async () => {
    const h = await startHarness({
      actions: [restarting({ killedFirst: true }), deleteTokenSecret],
      settings: { autoContain: 'off' },
      clusters: { prod: { podStartMs: 20_000 } },
    });
    harness = h;
    const token = await seedLegacy(h.cluster());
    h.cluster().seed.deployment('payments', 'a', { serviceAccount: 'api', replicas: 2 });
    await settled(h);
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    expect(h.incident(id).plan?.steps.map(({ action }) => action)).toEqual([
      'delete-token-secret',
      'restart-workloads',
    ]);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 300_000);
    const run = last(h, id);
    expect(run?.steps.map(({ outcome }) => outcome?.verdict)).toEqual(['done', 'done']);
    const { proof, status } = h.incident(id);
    expect(proof?.killedAt).toBe(run?.steps[0]?.endedAt);
    expect(proof?.killedAt).not.toBe(run?.steps[1]?.endedAt);
    expect([proof?.outcome?.verdict, status]).toEqual(['done', 'resolved']);
  });
});
