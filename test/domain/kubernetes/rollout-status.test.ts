// When a roll-out is done, going or stuck: the rules of kubectl, and the traps in which a status speaks of something older.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PodObject, WorkloadObject } from '../../../src/domain/kubernetes/objects.ts';
import {
  podTroubles,
  type RolloutStatus,
  rolloutStatus,
} from '../../../src/domain/kubernetes/rollout-status.ts';

type Spec = NonNullable<WorkloadObject['spec']>;
type Status = NonNullable<WorkloadObject['status']>;
const object = (spec: Spec, status: Status, generation = 2): WorkloadObject => ({
  metadata: { name: 'w', uid: 'u', generation },
  spec,
  status: { observedGeneration: 2, ...status },
});

const counted = { replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 };
const progressing = (reason: string) => ({ conditions: [{ type: 'Progressing', status: 'False', reason }] });
const rev = (currentRevision: string, updateRevision: string) => ({ currentRevision, updateRevision });
const daemons = { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2, numberReady: 2 };
const partitioned = (partition: number): Spec => ({
  replicas: 3,
  updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition } },
});
const onDelete: Spec = { replicas: 3, updateStrategy: { type: 'OnDelete' } };
const ended = (type: string) => ({ conditions: [{ type, status: 'True' }] });

type Case = [what: string, kind: string, WorkloadObject, RolloutStatus['at'], RegExp?];
const cases: Case[] = [
  ['all new', 'Deployment', object({ replicas: 3 }, counted), 'done'],
  ['counts of an older generation', 'Deployment', object({ replicas: 3 }, counted, 3), 'going', /not seen/],
  [
    'a status that was never written',
    'Deployment',
    { metadata: { name: 'w', uid: 'u', generation: 1 } },
    'going',
  ],
  [
    'too few new Pods',
    'Deployment',
    object({ replicas: 3 }, { ...counted, updatedReplicas: 1 }),
    'going',
    /1 of 3/,
  ],
  ['old Pods left', 'Deployment', object({ replicas: 3 }, { ...counted, replicas: 4 }), 'going', /1 old/],
  [
    'new Pods not available',
    'Deployment',
    object({ replicas: 3 }, { ...counted, availableReplicas: 2 }),
    'going',
  ],
  [
    'replicas not said means one',
    'Deployment',
    object({}, { ...counted, replicas: 0, updatedReplicas: 0 }),
    'going',
  ],
  ['scaled to zero', 'Deployment', object({ replicas: 0 }, {}), 'done'],
  [
    'its own deadline passed',
    'Deployment',
    object({ replicas: 3 }, { ...counted, ...progressing('ProgressDeadlineExceeded') }),
    'stuck',
    /ProgressDeadlineExceeded/,
  ],
  [
    'a deadline that passed before the change was seen',
    'Deployment',
    object({ replicas: 3 }, { ...counted, ...progressing('ProgressDeadlineExceeded') }, 3),
    'going',
  ],
  [
    'paused half-way',
    'Deployment',
    object({ replicas: 3, paused: true }, { ...counted, updatedReplicas: 0 }),
    'stuck',
    /paused/,
  ],
  ['paused when all was done', 'Deployment', object({ replicas: 3, paused: true }, counted), 'done'],
  ['all of one revision', 'StatefulSet', object({ replicas: 3 }, { ...counted, ...rev('b', 'b') }), 'done'],
  ['two revisions', 'StatefulSet', object({ replicas: 3 }, { ...counted, ...rev('a', 'b') }), 'going'],
  [
    'not Ready',
    'StatefulSet',
    object({ replicas: 3 }, { ...counted, readyReplicas: 2, ...rev('b', 'b') }),
    'going',
  ],
  [
    'never observed',
    'StatefulSet',
    { metadata: { name: 'w', uid: 'u', generation: 1 }, spec: { replicas: 0 } },
    'going',
  ],
  [
    'a partition that keeps old Pods',
    'StatefulSet',
    object(partitioned(2), { ...counted, updatedReplicas: 1, ...rev('a', 'b') }),
    'done',
    /below its partition of 2 keep the old template/,
  ],
  [
    'a partition not reached',
    'StatefulSet',
    object(partitioned(1), { ...counted, updatedReplicas: 1 }),
    'going',
    /1 of 2/,
  ],
  [
    'a partition beyond the replicas',
    'StatefulSet',
    object(partitioned(9), { ...counted, updatedReplicas: 0 }),
    'done',
  ],
  [
    'OnDelete',
    'StatefulSet',
    object(onDelete, { ...counted, ...rev('a', 'b') }),
    'done',
    /whichever template/,
  ],
  ['OnDelete, a Pod missing', 'StatefulSet', object(onDelete, { ...counted, readyReplicas: 2 }), 'going'],
  ['all new', 'DaemonSet', object({}, daemons), 'done'],
  ['not all new', 'DaemonSet', object({}, { ...daemons, updatedNumberScheduled: 1 }), 'going'],
  ['not all available', 'DaemonSet', object({}, { ...daemons, numberAvailable: 1 }), 'going'],
  ['no Node for it', 'DaemonSet', object({}, { desiredNumberScheduled: 0 }), 'done'],
  [
    'OnDelete, none new',
    'DaemonSet',
    object(onDelete, { ...daemons, updatedNumberScheduled: 0 }),
    'done',
    /whichever/,
  ],
  ['Ready', 'ReplicaSet', object({ replicas: 3 }, counted), 'done'],
  ['not Ready', 'ReplicaSet', object({ replicas: 3 }, { readyReplicas: 2 }), 'going'],
  ['not Ready', 'ReplicationController', object({ replicas: 1 }, {}), 'going'],
  ['running', 'Job', object({}, { active: 1 }), 'done'],
  ['ended', 'Job', object({}, ended('Complete')), 'done'],
  ['failed', 'Job', object({}, ended('Failed')), 'stuck'],
  ['whatever its state', 'CronJob', object({ suspend: true }, {}), 'done'],
  [
    'Healthy',
    'Rollout',
    object({ replicas: 3 }, { ...counted, observedGeneration: '2', phase: 'Healthy' }),
    'done',
  ],
  [
    'an old observation, which it writes as text',
    'Rollout',
    object({ replicas: 3 }, { ...counted, observedGeneration: '1' }),
    'going',
  ],
  [
    'Degraded',
    'Rollout',
    object({ replicas: 3 }, { ...counted, phase: 'Degraded', message: 'aborted' }),
    'stuck',
    /aborted/,
  ],
  ['a kind nobody knows', 'Database', object({}, {}), 'stuck', /a person/],
];

describe('the status of a roll-out', () => {
  it.each(cases)('%s, %s', (_what, kind, given, at, line = /./) => {
    expect(rolloutStatus(kind, given)).toEqual({ at, line: expect.stringMatching(line) });
  });

  it('is never done before the controller has seen the change', () => {
    const kinds = fc.constantFrom('Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Rollout', 'Job');
    const count = fc.nat(5);
    const status = fc.record({
      replicas: count,
      updatedReplicas: count,
      readyReplicas: count,
      availableReplicas: count,
      desiredNumberScheduled: count,
      updatedNumberScheduled: count,
      numberAvailable: count,
    });
    fc.assert(
      fc.property(
        kinds,
        status,
        fc.nat(5),
        fc.integer({ min: 3, max: 9 }),
        (kind, counts, replicas, generation) => {
          expect(rolloutStatus(kind, object({ replicas }, counts, generation)).at).toBe('going');
        },
      ),
    );
  });

  it('of a Deployment is done only with as many available as wanted and none too many', () => {
    const count = fc.nat(4);
    fc.assert(
      fc.property(count, count, count, count, (wanted, replicas, updatedReplicas, availableReplicas) => {
        const { at } = rolloutStatus(
          'Deployment',
          object({ replicas: wanted }, { replicas, updatedReplicas, availableReplicas }),
        );
        if (at === 'done')
          expect([availableReplicas >= wanted, replicas <= updatedReplicas]).toEqual([true, true]);
      }),
    );
  });
});

describe('the trouble of Pods', () => {
  const waiting = (...reasons: string[]): PodObject => ({
    metadata: { name: 'p', uid: 'u' },
    status: { containerStatuses: reasons.map((reason) => ({ state: { waiting: { reason } } })) },
  });
  it('is what the kubelet says, each once for a Pod', () => {
    const pods = [
      waiting('ImagePullBackOff', 'ImagePullBackOff'),
      waiting('ErrImagePull'),
      waiting('ImagePullBackOff'),
    ];
    expect(podTroubles(pods)).toBe('1 Pod: ErrImagePull, 2 Pods: ImagePullBackOff');
  });
  it('is none while containers are made', () => {
    expect(podTroubles([waiting('ContainerCreating')])).toBeUndefined();
  });
});
