// For which Pods a StatefulSet waits in vain, and what a roll-out does about them: deletes those that it made itself, names the others.
import { describe, expect, it } from 'vitest';
import { standingOf, type View } from '../../../src/actions/roll-out/standing.ts';
import { waitedForInVain } from '../../../src/domain/kubernetes/forced-rollback.ts';
import type { PodObject, WorkloadObject } from '../../../src/domain/kubernetes/objects.ts';

type Spec = NonNullable<WorkloadObject['spec']>;

const set = (spec: Spec = {}, status: WorkloadObject['status'] = {}): WorkloadObject => ({
  metadata: { name: 'db', uid: 'uid-db', generation: 3 },
  spec: { replicas: 3, ...spec },
  status: {
    observedGeneration: 3,
    readyReplicas: 2,
    updatedReplicas: 2,
    currentRevision: 'good',
    updateRevision: 'good',
    ...status,
  },
});

interface Given {
  revision?: string;
  ready?: boolean;
  going?: boolean;
  secret?: string;
}

const pod = (
  name: string,
  { revision = 'good', ready = true, going = false, secret = 'old' }: Given = {},
): PodObject => ({
  metadata: {
    name,
    uid: `uid-${name}`,
    resourceVersion: '7',
    labels: { 'controller-revision-hash': revision },
    ...(going ? { deletionTimestamp: '2026-11-24T03:00:00Z' } : {}),
  },
  spec: { volumes: [{ secret: { secretName: secret } }] },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});
const broken = pod('db-2', { revision: 'bad', ready: false, secret: 'new' });
const names = (pods: readonly PodObject[]) => pods.map(({ metadata }) => metadata.name);

describe('a Pod that is waited for in vain', () => {
  it.each<[string, WorkloadObject, PodObject[], string[]]>([
    ['is of a template that was taken back, and not Ready', set(), [pod('db-0'), broken], ['db-2']],
    ['is not one that is Ready', set(), [pod('db-2', { revision: 'bad' })], []],
    ['is not one of the present template', set(), [pod('db-2', { ready: false })], []],
    ['is not one that is going', set(), [pod('db-2', { revision: 'bad', ready: false, going: true })], []],
    ['is none where Pods are made side by side', set({ podManagementPolicy: 'Parallel' }), [broken], []],
    ['is none where it waits for deletions', set({ updateStrategy: { type: 'OnDelete' } }), [broken], []],
    [
      'is none below a partition',
      set({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 3 } } }),
      [broken],
      [],
    ],
    ['is none before the controller has seen the template', set({}, { observedGeneration: 2 }), [broken], []],
    ['is none where no revision is known', set({}, { updateRevision: undefined } as never), [broken], []],
  ])('%s', (_what, object, pods, wanted) => {
    expect(names(waitedForInVain('StatefulSet', object, pods))).toEqual(wanted);
  });

  it('is none of any other kind', () => {
    expect(waitedForInVain('Deployment', set(), [broken])).toEqual([]);
  });
});

describe('a roll-out of it', () => {
  const target = { kind: 'StatefulSet', name: 'db', uid: 'uid-db', consent: false };
  const standing = (pods: PodObject[], isBack: boolean, old: string) => {
    const object = set();
    const view: View = {
      params: {
        namespace: 'payments',
        workloads: [target],
        old: { rule: 'secret', name: old },
        cap: { percent: 25, most: 5 },
        deadlineSeconds: 60,
        killedFirst: false,
      },
      change: {
        patch: () => undefined,
        respec: (template) => template,
        sameTemplate: false,
        ...(isBack && { isBack }),
      },
      existing: new Set(),
      touched: [],
      kept: [],
    };
    return standingOf(target, { pods, podsOf: () => pods, objectOf: () => object }, view);
  };

  it('that takes it back deletes what the one before it has made, and nothing else', () => {
    const other = pod('db-1', { revision: 'bad', ready: false, secret: 'third' });
    const { at, next } = standing([pod('db-0'), other, broken], true, 'new');
    expect(at).toBe('going');
    expect(next).toEqual({ do: 'delete', pods: [broken] });
  });

  it('that goes on prints the command, because such a Pod may be somebody else’s', () => {
    const { at, next, line } = standing([pod('db-0', { secret: 'new' }), broken], false, 'old');
    expect([at, next]).toEqual(['going', undefined]);
    expect(line).toContain('kubectl -n payments delete pod db-2');
  });

  it('of which nothing is broken says nothing of that', () => {
    const { line } = standing(
      [pod('db-0', { secret: 'new' }), pod('db-1', { ready: false, secret: 'new' })],
      false,
      'old',
    );
    expect(line).not.toContain('delete pod');
  });
});
