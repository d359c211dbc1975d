// Who uses what leaked: every way to refer to it, every owner up the chain, and workloads that have no Pod right now.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  Meta,
  OwnerReference,
  PodObject,
  PodSpec,
  WorkloadObject,
} from '../../../src/domain/kubernetes/objects.ts';
import type { Entry } from '../../../src/domain/kubernetes/owners.ts';
import { planFor } from '../../../src/domain/plan/planner.ts';
import { consumersOf } from '../../../src/domain/situation/consumers.ts';
import type { Listed } from '../../../src/domain/situation/listed.ts';
import type { WorkloadFact } from '../../../src/domain/situation/situation.ts';
import { anIdentity, aSituation, aWorkload, T0 } from '../../builders.ts';

const stake = { serviceAccount: 'api', secrets: ['api-token'] };
const nothing: Listed = {
  pods: [],
  workloads: [],
  autoscalers: [],
  budgets: [],
  services: [],
  callbacks: [],
};

const owner = (kind: string, name: string, apiVersion = 'apps/v1'): OwnerReference => ({
  apiVersion,
  kind,
  name,
  uid: `uid-${kind}-${name}`,
  controller: true,
});
const pod = (name: string, spec: PodSpec, by?: OwnerReference, more: Partial<PodObject> = {}): PodObject => ({
  metadata: { name, uid: `uid-${name}`, ...(by ? { ownerReferences: [by] } : {}) },
  spec,
  ...more,
});
const entry = (kind: string, name: string, object: Partial<WorkloadObject>, by?: OwnerReference): Entry => ({
  kind,
  apiVersion: kind.endsWith('Job') ? 'batch/v1' : 'apps/v1',
  object: {
    ...object,
    metadata: {
      name,
      uid: `uid-${kind}-${name}`,
      ...object.metadata,
      ...(by ? { ownerReferences: [by] } : {}),
    },
  },
});
const asApi: PodSpec = { serviceAccountName: 'api' };
const find = (listed: Partial<Listed>, at = stake) => consumersOf({ ...nothing, ...listed }, at);
const named = (facts: WorkloadFact[]) => facts.map(({ kind, name }) => `${kind}/${name}`);

describe('a reference', () => {
  it.each<[string, PodSpec, Partial<WorkloadFact['references']> | undefined]>([
    ['the ServiceAccount', asApi, { serviceAccount: true }],
    ['the old name of the field', { serviceAccount: 'api' }, { serviceAccount: true }],
    ['another ServiceAccount', { serviceAccountName: 'web' }, undefined],
    ['a volume', { volumes: [{ secret: { secretName: 'api-token' } }] }, { secrets: ['api-token'] }],
    [
      'a projected source',
      { volumes: [{ projected: { sources: [{}, { secret: { name: 'api-token' } }] } }] },
      { secrets: ['api-token'] },
    ],
    [
      'a CSI driver',
      { volumes: [{ csi: { nodePublishSecretRef: { name: 'api-token' } } }] },
      { secrets: ['api-token'] },
    ],
    ['a pull secret', { imagePullSecrets: [{ name: 'api-token' }] }, { secrets: ['api-token'] }],
    ...(['containers', 'initContainers', 'ephemeralContainers'] as const).flatMap(
      (kind): [string, PodSpec, Partial<WorkloadFact['references']>][] => [
        [
          `env of ${kind}`,
          { [kind]: [{}, { env: [{}, { valueFrom: { secretKeyRef: { name: 'api-token' } } }] }] },
          { secrets: ['api-token'] },
        ],
        [
          `envFrom of ${kind}`,
          { [kind]: [{ envFrom: [{ secretRef: { name: 'api-token' } }] }] },
          { secrets: ['api-token'] },
        ],
      ],
    ),
    ['another Secret', { volumes: [{ secret: { secretName: 'other' } }] }, undefined],
    ['nothing at all', {}, undefined],
  ])('by %s', (_how, spec, expected) => {
    const references = expected && { serviceAccount: false, secrets: [], ...expected };
    expect(find({ pods: [pod('p', spec)] }).workloads[0]?.references).toEqual(references);
    expect(
      find({ workloads: [entry('Deployment', 'd', { spec: { template: { spec } } })] }).workloads[0]
        ?.references,
    ).toEqual(references);
  });

  it('to no account in particular is one to default', () => {
    const at = { serviceAccount: 'default', secrets: [] };
    expect(named(find({ pods: [pod('p', {})] }, at).workloads)).toEqual(['Pod/p']);
  });

  it('of a static Pod is none', () => {
    const mirror = pod('p', {});
    mirror.metadata.annotations = { 'kubernetes.io/config.mirror': 'x' };
    expect(find({ pods: [mirror] }, { serviceAccount: 'default', secrets: [] })).toEqual({
      pods: [],
      workloads: [],
    });
  });
});

describe('the owner of a Pod', () => {
  const chains: [string, Entry[], OwnerReference | undefined, string][] = [
    ['nobody', [], undefined, 'Pod/p'],
    [
      'a ReplicaSet of a Deployment',
      [entry('ReplicaSet', 'd-1', {}, owner('Deployment', 'd')), entry('Deployment', 'd', {})],
      owner('ReplicaSet', 'd-1'),
      'Deployment/d',
    ],
    ['a ReplicaSet without owner', [entry('ReplicaSet', 'r', {})], owner('ReplicaSet', 'r'), 'ReplicaSet/r'],
    ['a StatefulSet', [entry('StatefulSet', 's', {})], owner('StatefulSet', 's'), 'StatefulSet/s'],
    ['a DaemonSet', [entry('DaemonSet', 'd', {})], owner('DaemonSet', 'd'), 'DaemonSet/d'],
    [
      'a ReplicationController',
      [entry('ReplicationController', 'r', {})],
      owner('ReplicationController', 'r'),
      'ReplicationController/r',
    ],
    ['a Job', [entry('Job', 'j', {})], owner('Job', 'j'), 'Job/j'],
    [
      'a Job of a CronJob',
      [entry('Job', 'c-1', {}, owner('CronJob', 'c')), entry('CronJob', 'c', {})],
      owner('Job', 'c-1'),
      'CronJob/c',
    ],
    [
      'a ReplicaSet of a Rollout',
      [entry('ReplicaSet', 'o-1', {}, owner('Rollout', 'o')), entry('Rollout', 'o', {})],
      owner('ReplicaSet', 'o-1'),
      'Rollout/o',
    ],
    [
      'a ReplicaSet of a kind that nobody listed',
      [entry('ReplicaSet', 'x-1', {}, owner('Thing', 'x', 'example.dev/v1'))],
      owner('ReplicaSet', 'x-1'),
      'Thing/x',
    ],
    ['an operator', [], owner('Database', 'db', 'example.dev/v1'), 'Database/db'],
    ['a ReplicaSet that could not be listed', [], owner('ReplicaSet', 'd-1'), 'ReplicaSet/d-1'],
  ];
  it.each(chains)('is %s', (_what, workloads, by, expected) => {
    const { pods, workloads: facts } = find({ pods: [pod('p', asApi, by)], workloads });
    expect(pods.map((fact) => fact.owner)).toEqual([expected]);
    expect(named(facts)).toEqual([expected]);
    expect(facts[0]?.custom).toBe(/Thing|Database/.test(expected) ? true : undefined);
  });

  it('that is a Deployment of an operator is the Deployment, and the operator is named', () => {
    const workloads = [
      entry('ReplicaSet', 'd-1', {}, owner('Deployment', 'd')),
      entry('Deployment', 'd', {}, owner('Database', 'db', 'example.dev/v1')),
    ];
    const { workloads: facts } = find({ pods: [pod('p', asApi, owner('ReplicaSet', 'd-1'))], workloads });
    expect(facts).toMatchObject([{ kind: 'Deployment', name: 'd', ownedBy: 'Database/db' }]);
  });

  it('is found although owners go round in a circle', () => {
    const workloads = [
      entry('ReplicaSet', 'a', {}, owner('ReplicaSet', 'b')),
      entry('ReplicaSet', 'b', {}, owner('ReplicaSet', 'a')),
    ];
    expect(find({ pods: [pod('p', asApi, owner('ReplicaSet', 'a'))], workloads }).workloads).toHaveLength(1);
  });
});

describe('a workload without Pods', () => {
  const template = { spec: asApi };
  it.each<[string, Entry, Partial<WorkloadFact>]>([
    ['scaled to zero', entry('Deployment', 'd', { spec: { replicas: 0, template } }), { replicas: 0 }],
    ['paused', entry('Deployment', 'd', { spec: { paused: true, template } }), { paused: true, replicas: 1 }],
    [
      'a suspended CronJob',
      entry('CronJob', 'c', { spec: { suspend: true, jobTemplate: { spec: { template } } } }),
      { suspended: true, replicas: 0 },
    ],
    ['a DaemonSet without Nodes', entry('DaemonSet', 'd', { spec: { template } }), { replicas: 0 }],
    [
      'with a partition',
      entry('StatefulSet', 's', { spec: { template, updateStrategy: { rollingUpdate: { partition: 2 } } } }),
      { partition: 2, strategy: 'RollingUpdate' },
    ],
    [
      'that waits for deletions',
      entry('DaemonSet', 'd', { spec: { template, updateStrategy: { type: 'OnDelete' } } }),
      { strategy: 'OnDelete' },
    ],
    [
      'that is recreated at once',
      entry('Deployment', 'd', { spec: { template, strategy: { type: 'Recreate' } } }),
      { strategy: 'Recreate' },
    ],
  ])('%s is found', (_what, one, expected) => {
    expect(find({ workloads: [one] }).workloads).toMatchObject([expected]);
  });

  it('that has ended, or that another tells of, is not', () => {
    const over = { status: { conditions: [{ type: 'Complete', status: 'True' }] }, spec: { template } };
    const old = entry('ReplicaSet', 'd-0', { spec: { template, replicas: 0 } }, owner('Deployment', 'd'));
    const moved = entry('Deployment', 'd', { spec: { template: { spec: { serviceAccountName: 'new' } } } });
    expect(find({ workloads: [entry('Job', 'j', over), old, moved] }).workloads).toEqual([]);
  });

  it('is found by the template that a Rollout borrows', () => {
    const workloads = [
      entry('Deployment', 'lender', { spec: { replicas: 0, template } }),
      entry('Rollout', 'o', { spec: { workloadRef: { kind: 'Deployment', name: 'lender' } } }),
    ];
    expect(named(find({ workloads }).workloads)).toEqual(['Deployment/lender', 'Rollout/o']);
  });
});

describe('what a roll-out must respect', () => {
  const labels = { app: 'api' };
  const deployment = (metadata: Partial<Meta> = {}) =>
    entry('Deployment', 'd', {
      metadata: { name: 'd', uid: 'uid-Deployment-d', ...metadata },
      spec: { template: { metadata: { labels }, spec: asApi } },
    });

  it('budgets by their selectors, and autoscalers by their target', () => {
    const budget = (name: string, selector: object | undefined, disruptionsAllowed = 1) => ({
      metadata: { name, uid: name },
      spec: selector ? { selector } : {},
      status: { disruptionsAllowed },
    });
    const { workloads } = find({
      workloads: [deployment()],
      budgets: [
        budget('b', { matchLabels: labels }, 0),
        budget('all', {}),
        budget('none', undefined),
        budget('other', { matchLabels: { app: 'web' } }),
        budget('in', { matchExpressions: [{ key: 'app', operator: 'In', values: ['api', 'web'] }] }),
        budget('not', { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['api'] }] }),
        budget('exists', { matchExpressions: [{ key: 'tier', operator: 'Exists' }] }),
        budget('absent', { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }),
      ],
      autoscalers: [
        { metadata: { name: 'h', uid: 'h' }, spec: { scaleTargetRef: { kind: 'Deployment', name: 'd' } } },
        { metadata: { name: 'g', uid: 'g' }, spec: { scaleTargetRef: { kind: 'Deployment', name: 'e' } } },
      ],
    });
    expect(workloads[0]).toMatchObject({
      autoscaler: 'h',
      budgets: [
        { name: 'absent', allowed: 1 },
        { name: 'all', allowed: 1 },
        { name: 'b', allowed: 0 },
        { name: 'in', allowed: 1 },
      ],
    });
  });

  it.each<[string, Partial<Meta>, string[]]>([
    ['nobody', {}, []],
    ['Helm by label', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }, ['Helm']],
    ['Helm by annotation', { annotations: { 'meta.helm.sh/release-name': 'x' } }, ['Helm']],
    ['Argo CD by annotation', { annotations: { 'argocd.argoproj.io/tracking-id': 'x' } }, ['Argo CD']],
    ['Flux by label', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'x' } }, ['Flux']],
    ['Argo CD by field manager', { managedFields: [{ manager: 'argocd-controller' }] }, ['Argo CD']],
    ['a Secret operator, which does not own workloads', { managedFields: [{ manager: 'controller' }] }, []],
    [
      'two',
      { labels: { 'helm.toolkit.fluxcd.io/name': 'x', 'app.kubernetes.io/managed-by': 'Helm' } },
      ['Flux', 'Helm'],
    ],
  ])('who applies it again: %s', (_who, metadata, expected) => {
    expect(find({ workloads: [deployment(metadata)] }).workloads[0]?.managedBy).toEqual(expected);
  });
});

describe('the hash of a plan', () => {
  const hashWith = (workloads: WorkloadFact[]) =>
    planFor({ do: 'revoke' }, anIdentity(), [aSituation({ workloads })], [], T0).hash;

  it('does not change with counts and Pods that come and go', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), fc.boolean(), (replicas, ready, generation, barePod) => {
        const churned = aWorkload({ replicas, ready, generation, budgets: [{ name: 'b', allowed: ready }] });
        const more = barePod ? [aWorkload({ kind: 'Pod', name: 'debug', uid: 'x' })] : [];
        expect(hashWith([churned, ...more])).toBe(hashWith([aWorkload()]));
      }),
    );
  });

  it.each<[string, Partial<WorkloadFact>]>([
    ['another workload', { name: 'web' }],
    ['another of the same name', { uid: 'uid-2' }],
    ['another way to refer', { references: { serviceAccount: true, secrets: [] } }],
  ])('changes with %s', (_what, changes) => {
    expect(hashWith([aWorkload(changes)])).not.toBe(hashWith([aWorkload()]));
  });
});
