// Which Pods a roll-out is about, in what order workloads are replaced, and what is said beforehand.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OwnerReference, PodObject } from '../../../src/domain/kubernetes/objects.ts';
import { isOld, oldPods, podsOf } from '../../../src/domain/kubernetes/old-pods.ts';
import { preflight } from '../../../src/domain/plan/preflight.ts';
import { restartCommands } from '../../../src/domain/plan/restart-commands.ts';
import { DEFAULT_CAP, mayBeMissing, type Waiting, waves } from '../../../src/domain/plan/waves.ts';
import type { WorkloadFact } from '../../../src/domain/situation/situation.ts';
import { aWorkload } from '../../builders.ts';

const owner = (kind: string, name: string): OwnerReference => ({
  apiVersion: 'v1',
  kind,
  name,
  uid: `uid-${name}`,
  controller: true,
});
const pod = (name: string, by?: OwnerReference, labels: Record<string, string> = {}): PodObject => ({
  metadata: { name, uid: `uid-${name}`, labels, ...(by ? { ownerReferences: [by] } : {}) },
});
const named = (kind: string, name: string) => ({ kind, name, uid: `uid-${name}` });
const names = (pods: PodObject[]) => pods.map(({ metadata }) => metadata.name);

describe('the Pods of a workload', () => {
  const all = [
    pod('web-1-x', owner('ReplicaSet', 'web-1'), { 'pod-template-hash': '1' }),
    pod('web-ui-1-x', owner('ReplicaSet', 'web-ui-1'), { 'pod-template-hash': '1' }),
    pod('canary-2-x', owner('ReplicaSet', 'canary-2'), { 'rollouts-pod-template-hash': '2' }),
    pod('db-0', owner('StatefulSet', 'db')),
    pod('night-1-x', owner('Job', 'night-1')),
    pod('day-1-x', owner('Job', 'day-1')),
    pod('debug'),
  ];
  const jobs = [
    { metadata: { ...pod('night-1').metadata, ownerReferences: [owner('CronJob', 'night')] } },
    { metadata: pod('day-1').metadata },
  ];
  it.each([
    ['Deployment', 'web', ['web-1-x']],
    ['Deployment', 'web-ui', ['web-ui-1-x']],
    ['Rollout', 'canary', ['canary-2-x']],
    ['ReplicaSet', 'web-1', ['web-1-x']],
    ['StatefulSet', 'db', ['db-0']],
    ['Job', 'day-1', ['day-1-x']],
    ['CronJob', 'night', ['night-1-x']],
    ['Pod', 'debug', ['debug']],
    ['Pod', 'db-0', []],
    ['DaemonSet', 'logs', []],
  ])('%s %s', (kind, name, expected) => {
    expect(names(podsOf(named(kind, name), all, jobs))).toEqual(expected);
  });
});

describe('an old Pod', () => {
  const withSpec = (spec: PodObject['spec'], phase = 'Running'): PodObject => ({
    ...pod('p'),
    ...(spec ? { spec } : {}),
    status: { phase },
  });
  it.each([
    ['was there', { rule: 'existing' } as const, withSpec({}), true],
    [
      'runs as the account',
      { rule: 'service-account', name: 'api' } as const,
      withSpec({ serviceAccountName: 'api' }),
      true,
    ],
    [
      'runs as another',
      { rule: 'service-account', name: 'api' } as const,
      withSpec({ serviceAccountName: 'new' }),
      false,
    ],
    [
      'mounts the Secret',
      { rule: 'secret', name: 's' } as const,
      withSpec({ volumes: [{ secret: { secretName: 's' } }] }),
      true,
    ],
    [
      'mounts another',
      { rule: 'secret', name: 's' } as const,
      withSpec({ volumes: [{ secret: { secretName: 't' } }] }),
      false,
    ],
    ['has ended', { rule: 'existing' } as const, withSpec({}, 'Succeeded'), false],
  ])('%s', (_what, rule, one, expected) => {
    expect(oldPods([one], isOld(rule, new Set(['uid-p']))).length === 1).toBe(expected);
  });
  it('counts until it is gone, also while it terminates', () => {
    const going = pod('p');
    going.metadata.deletionTimestamp = '2026-11-24T03:00:00Z';
    expect(oldPods([going, pod('q')], isOld({ rule: 'existing' }, new Set(['uid-p'])))).toEqual([going]);
  });
});

describe('waves', () => {
  const workload = fc.record({
    kind: fc.constantFrom('Deployment', 'StatefulSet', 'DaemonSet', 'Pod'),
    replicas: fc.option(fc.nat(5)),
    failing: fc.boolean(),
  });
  const cap = fc.record({ percent: fc.integer({ min: 1, max: 100 }), most: fc.integer({ min: 1, max: 50 }) });

  it('hold each workload once, in no wave more than the cap, those that fail first and all at once', () => {
    fc.assert(
      fc.property(fc.array(workload, { maxLength: 60 }), cap, (all, given) => {
        const made = waves(all, given);
        const flat = made.flat();
        expect(flat).toHaveLength(all.length);
        expect(new Set(flat)).toEqual(new Set(all));
        expect(made.every((wave) => wave.length > 0)).toBe(true);
        const healthy = made.filter((wave) => !wave.some(({ failing }) => failing));
        const most = Math.max(1, Math.min(given.most, Math.ceil((all.length * given.percent) / 100)));
        for (const wave of healthy) expect(wave.length).toBeLessThanOrEqual(most);
        if (all.some(({ failing }) => failing)) expect(made[0]?.every(({ failing }) => failing)).toBe(true);
        expect(made.length - healthy.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('leave what is interrupted to the end', () => {
    const of = (kind: string, replicas: number): Waiting => ({ kind, replicas, failing: false });
    const all = [of('StatefulSet', 3), of('Deployment', 1), of('Deployment', 3), of('DaemonSet', 9)];
    expect(
      waves(all, DEFAULT_CAP).map((wave) => wave.map(({ kind, replicas }) => `${kind} ${replicas}`)),
    ).toEqual([['Deployment 3'], ['DaemonSet 9'], ['StatefulSet 3'], ['Deployment 1']]);
  });

  it.each([
    [1, 1],
    [4, 1],
    [8, 2],
    [20, 5],
    [50, 5],
  ])('of %i healthy workloads have %i', (count, size) => {
    const all = Array.from({ length: count }, () => ({ kind: 'Deployment', replicas: 3, failing: false }));
    expect(waves(all, DEFAULT_CAP)[0]).toHaveLength(size);
  });

  it('let at least one Pod of a workload go, and never all of several', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), (replicas) => {
        expect(mayBeMissing(replicas)).toBeGreaterThanOrEqual(1);
        if (replicas > 1) expect(mayBeMissing(replicas)).toBeLessThan(replicas);
      }),
    );
  });
});

describe('before a roll-out', () => {
  it.each<[string, Partial<WorkloadFact>, RegExp]>([
    ['paused', { paused: true }, /Deployment\/api is paused/],
    ['one Pod', { kind: 'StatefulSet', replicas: 1 }, /has one Pod: expect a short interruption/],
    ['one Pod, recreated', { replicas: 1, strategy: 'Recreate' }, /has one Pod: expect a short interruption/],
    ['no Pod', { replicas: 0 }, /has no Pod now/],
    ['recreated', { strategy: 'Recreate' }, /stops all its Pods/],
    ['a budget', { kind: 'ReplicaSet', budgets: [{ name: 'b', allowed: 0 }] }, /allows no Pod to go/],
    ['a partition', { kind: 'StatefulSet', partition: 2 }, /below its partition/],
    ['OnDelete', { kind: 'DaemonSet', strategy: 'OnDelete' }, /evicted one by one/],
    ['a Job', { kind: 'Job' }, /runs to an end/],
    ['a bare Pod', { kind: 'Pod' }, /only when a person says so/],
    ['an autoscaler', { autoscaler: 'h' }, /HorizontalPodAutoscaler h sets the replicas/],
    ['Helm', { managedBy: ['Helm'] }, /Helm manages Deployment\/api.*Git/],
    ['an operator above', { ownedBy: 'Database/db' }, /Database\/db owns/],
    ['an unknown kind', { kind: 'Database', custom: true }, /Database\/api: only its own operator/],
    ['a Knative Revision', { kind: 'Revision', custom: true }, /Knative Service/],
  ])('%s is said', (_what, changes, expected) => {
    expect(preflight({ workloads: [aWorkload(changes)] }).join('\n')).toMatch(expected);
  });

  it('only what nobody can know is said of a healthy Deployment, and nothing where nothing is rolled', () => {
    // A Deployment of one Pod that rolls starts the new one first.
    for (const replicas of [1, 2])
      expect(preflight({ workloads: [aWorkload({ replicas })] })).toEqual([
        expect.stringContaining('Not known beforehand'),
      ]);
    expect(preflight({ workloads: [] })).toEqual([]);
  });

  it('a budget is no matter where the controller itself rolls', () => {
    const notes = preflight({ workloads: [aWorkload({ budgets: [{ name: 'b', allowed: 0 }] })] });
    expect(notes.join()).not.toContain('PodDisruptionBudget');
  });
});

describe('what a person would type', () => {
  it.each<[string, Partial<WorkloadFact>, RegExp]>([
    ['Deployment', {}, /^kubectl --context prod -n payments rollout restart deployment api$/m],
    [
      'StatefulSet with a partition',
      { kind: 'StatefulSet', partition: 1 },
      /rollout restart[\s\S]*delete pod/,
    ],
    [
      'DaemonSet that waits for deletions',
      { kind: 'DaemonSet', strategy: 'OnDelete' },
      /uid-deployment[\s\S]*delete pod/,
    ],
    ['ReplicaSet', { kind: 'ReplicaSet' }, /delete pod/],
    ['Rollout', { kind: 'Rollout' }, /restartAt/],
    ['Pod', { kind: 'Pod' }, /replace --force/],
    ['Job', { kind: 'Job' }, /^# Job\/api/],
    ['CronJob', { kind: 'CronJob' }, /^# CronJob\/api/],
    ['an unknown kind', { kind: 'Database', custom: true }, /^# Database\/api/],
  ])('%s', (_what, changes, expected) => {
    expect(restartCommands(aWorkload(changes), 'prod', 'payments').join('\n')).toMatch(expected);
  });
});
