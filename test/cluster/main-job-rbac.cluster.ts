// The declared permissions are enough, each of them is needed, and the worker's identity can do nothing else.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type RealWorldCluster, realCluster, USERNAME } from '../../sandbox/real-world.ts';
import { WORKER } from '../../sandbox/world.ts';
import { actions } from '../../src/actions/index.ts';
import { recreateServiceAccount } from '../../src/actions/recreate-service-account.ts';
import { repointWorkloads } from '../../src/actions/repoint-workloads.ts';
import type { StepTools } from '../../src/contracts/action.ts';
import type { WorkloadObject } from '../../src/domain/kubernetes/objects.ts';
import { accountOf, templateOf } from '../../src/domain/kubernetes/pod-references.ts';
import { type Rule, workerRoles, workerRules } from '../../src/domain/kubernetes/rbac.ts';
import { resources, workloadResources } from '../../src/domain/kubernetes/resources.ts';
import { OWNING_KINDS } from '../../src/domain/kubernetes/still-there.ts';
import type { TokenIdentity } from '../../src/domain/token/identity.ts';
import { answer } from '../../src/engine/door/answer.ts';
import { observe } from '../../src/engine/look/observe.ts';
import { AppError } from '../../src/errors.ts';
import { Secret } from '../../src/secret.ts';
import { stepTools } from '../step-tools.ts';
import { type EngineRoom, openEngineRoom } from './engine-room.ts';
import { type KubeObject, until } from './leak.ts';
import { NOWHERE, openSpace, type Space } from './leaks.ts';

const ROLES = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
const GONE = '00000000-0000-4000-8000-000000000000';

let cluster: RealWorldCluster;
let room: EngineRoom;
let space: Space;
let kubeconfig: string;

beforeAll(async () => {
  cluster = await realCluster('prod')();
  kubeconfig = await cluster.kubeconfig(WORKER);
  // Without apiServers in its configuration, so that it looks for them by itself.
  room = await openEngineRoom({ kubeconfig });
  space = await openSpace(cluster.plane);
});
afterAll(async () => {
  await room?.close();
  await cluster?.close();
});

type Grant = { role: string; group: string; resource: string; verb: string };

const grantsOf = (role: string, rules: readonly Rule[]): Grant[] =>
  rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => ({ role, group, resource, verb }))),
    ),
  );

const rules = workerRules(actions);
const read = grantsOf('tourniquet-worker-read', rules.cluster);
const act = grantsOf('tourniquet-worker-namespace', rules.namespace);
const named = ({ group, resource, verb }: Omit<Grant, 'role'>): string => `${verb} ${group}/${resource}`;

/** Everything that the engine, its answers and the actions ask a cluster for; answers what people would be told. */
async function everything(): Promise<string> {
  // Known addresses are kept for a minute; a worker that was just started has none.
  await room.connect(kubeconfig);
  const { namespace } = space;
  const told: unknown[] = [];
  const tell = async (work: Promise<unknown>): Promise<void> => {
    told.push(
      await work.catch((error: unknown) =>
        error instanceof AppError ? error.message : Promise.reject(error),
      ),
    );
  };
  const clusters = new Map([['prod', room.prod]]);
  const base = { clusters: ['prod'], namespace, audiences: [], authenticity: 'signature' as const };
  const { metadata } = await robot();
  const bound = (kind: 'Pod' | 'Secret' | 'Node', name: string): TokenIdentity => ({
    ...base,
    kind: `${kind.toLowerCase()}-bound` as TokenIdentity['kind'],
    serviceAccount: { name: 'robot', uid: metadata.uid },
    boundTo: { kind, name, uid: GONE },
  });
  const owned: TokenIdentity = { ...bound('Secret', 'owned'), kind: 'legacy' };
  for (const identity of [bound('Pod', 'job'), bound('Secret', 'anchor'), bound('Node', 'node-0'), owned])
    await tell(observe(room.prod, identity, Date.now(), NOWHERE).then(({ unread }) => unread));
  await tell(answer(clusters, { ask: 'list-namespaces', cluster: 'prod' }));
  await tell(answer(clusters, { ask: 'list-service-accounts', cluster: 'prod', namespace }));
  await tell(answer(clusters, { ask: 'find-service-account', namespace, name: 'rabot' }));
  const [server] = cluster.servers;
  await tell(room.prod.review(server?.url ?? '', new Secret('not-a-token'), []));
  // A roll-out asks for them once it has waited a while for Pods that do not come.
  await tell(room.prod.list({ resource: resources.events, namespace, fieldSelector: 'reason=FailedCreate' }));
  const tools: StepTools = { ...stepTools(room.prod, bound('Pod', 'job')), sleep: () => delay(300) };
  const params: Record<string, Record<string, unknown>> = {
    'quarantine-token': { namespace, secret: 'labelled' },
    'delete-token-secret': { namespace, secret: 'anchor', uid: GONE, holds: 'bound' },
    'delete-bound-pod': { namespace, pod: 'job', uid: GONE, gracePeriodSeconds: 1 },
    'recreate-service-account': {
      namespace,
      name: 'robot',
      uid: metadata.uid,
      manifest: { metadata: { name: 'robot' } },
    },
  };
  params['restart-workloads'] = await restarting();
  Object.assign(params, await succeeding());
  for (const action of actions) {
    if (action.name === 'repoint-workloads') continue;
    const given = params[action.name];
    if (given === undefined) throw new Error(`Say here how ${action.name} is to be run.`);
    const own = { ...stepTools(room.prod, bound('Pod', 'job')), sleep: tools.sleep };
    await tell(action.execute(own, given));
    if (TAKEN_BACK.includes(action.name) && action.undo) await tell(action.undo(own, given));
  }
  await tell(recreateServiceAccount.execute(tools, completing()));
  for (const given of await repointing()) await tell(repointWorkloads.execute(impatient(tools), given));
  return JSON.stringify(told);
}

/** Of every kind that is looked for. Nothing serves them here, so that nothing collects what they own. */
const ownerReferences = OWNING_KINDS.flatMap(({ group, versions, kinds }) =>
  Object.keys(kinds).map((kind) => ({ apiVersion: `${group}/${versions[0]}`, kind, name: 'x', uid: GONE })),
);

/** What they make is taken away again by themselves, which needs a permission too. */
const TAKEN_BACK: readonly string[] = ['replace-token-secret', 'replace-service-account'];

let round = 0;

/** Of what takes an old identity's place, each time under another name. */
async function succeeding(): Promise<Record<string, Record<string, unknown>>> {
  const { namespace } = space;
  const name = `next-${++round}`;
  const spare = await space.serviceAccount(`spare-${round}`);
  const secret = { namespace, serviceAccount: 'default', old: 'labelled', name };
  return {
    'replace-token-secret': secret,
    'recreate-token-secrets': { namespace, serviceAccount: 'default', uid: GONE, secrets: [] },
    'replace-service-account': {
      namespace,
      name,
      replaces: { name: 'robot', uid: GONE },
      manifest: { metadata: { name } },
      secrets: [],
      bindings: [],
    },
    'delete-service-account': {
      namespace,
      name: spare.metadata.name,
      uid: spare.metadata.uid,
      secrets: [],
    },
    // Its rights are an administrator's to give, binding by binding, and no part of the roles.
    'unbind-rbac': { namespace, name: 'robot', bindings: [] },
  };
}

/** A ServiceAccount that somebody else made anew gets what the old one carried. */
const completing = (): Record<string, unknown> => ({
  namespace: space.namespace,
  name: 'default',
  uid: GONE,
  manifest: { metadata: { name: 'default', labels: { [`round-${round}`]: 'x' } } },
});

/** Its clock makes one look enough: nothing here ever becomes Ready. */
function impatient(tools: StepTools): StepTools {
  let asked = 0;
  return { ...stepTools(tools.cluster, tools.identity), now: () => Date.now() + 2000 * asked++ };
}

const REPOINTED = [
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'ReplicationController',
  'CronJob',
  'Rollout',
] as const;

/** Each workload to the ServiceAccount that it does not use now. */
async function repointing(): Promise<Record<string, unknown>[]> {
  const objects = await Promise.all(
    REPOINTED.map(async (kind) => ({ kind, object: (await one(kind)) as unknown as WorkloadObject })),
  );
  const groups = Map.groupBy(objects, ({ object }) => accountOf(templateOf(object)?.spec ?? {}));
  return [...groups].map(([from, members]) => ({
    namespace: space.namespace,
    workloads: members.map(({ kind, object }) => ({
      kind,
      name: 'web',
      uid: object.metadata.uid,
      consent: false,
    })),
    cap: { percent: 100, most: 50 },
    old: { rule: 'service-account', name: from },
    deadlineSeconds: 1,
    killedFirst: false,
    what: 'service-account',
    from,
    to: from === 'default' ? 'other' : 'default',
  }));
}

const labels = { app: 'web' };
/** No Node has it: what is changed never becomes Ready, so there is always something to change. */
const spec = {
  containers: [{ name: 'main', image: 'example.test/none' }],
  nodeSelector: { 'tourniquet.test/none': 'x' },
};

/** One of each kind that is replaced in its own way. */
async function deployAll(): Promise<void> {
  const { namespace } = space;
  const template = { metadata: { labels }, spec };
  const made = (apiVersion: string, kind: string, more: object) => ({
    apiVersion,
    kind,
    metadata: { name: 'web', namespace },
    spec: { replicas: 1, selector: { matchLabels: labels }, template, ...more },
  });
  const onNodes = { metadata: { labels }, spec: { containers: spec.containers } };
  const { replicas: _, ...daemons } = made('apps/v1', 'DaemonSet', { template: onNodes }).spec;
  await cluster.create(
    made('apps/v1', 'Deployment', {}),
    made('apps/v1', 'StatefulSet', { serviceName: 'web' }),
    { ...made('apps/v1', 'DaemonSet', {}), spec: daemons },
    made('apps/v1', 'ReplicaSet', {}),
    made('v1', 'ReplicationController', {
      selector: { app: 'web-rc' },
      template: { metadata: { labels: { app: 'web-rc' } }, spec },
    }),
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'web', namespace },
      spec: {
        schedule: '0 0 1 1 *',
        suspend: true,
        jobTemplate: { spec: { template: { spec: { ...spec, restartPolicy: 'Never' } } } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace },
      spec: { containers: spec.containers },
    },
    rolloutKind,
    ...answering(namespace),
  );
  const hash = { ...labels, 'rollouts-pod-template-hash': 'abc' };
  await until(
    async () => (await cluster.plane.call('GET', '/apis/argoproj.io/v1alpha1/rollouts')).status === 200,
  );
  await cluster.create(made('argoproj.io/v1alpha1', 'Rollout', {}));
  const { uid } = (await one('Rollout')).metadata;
  const owner = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', name: 'web', uid, controller: true };
  await cluster.create({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web-abc', namespace, ownerReferences: [owner] },
    spec: { replicas: 1, selector: { matchLabels: hash }, template: { metadata: { labels: hash }, spec } },
  });
  await until(
    async () => (await space.send<{ items: unknown[] }>('GET', space.at('pods'))).items.length >= 6,
  );
}

/** Stands behind a Service, so that it is looked up whether the API server asks it. */
function answering(namespace: string): object[] {
  const metadata = { name: 'asked', namespace };
  const selector = { app: 'asked' };
  const template = { metadata: { labels: selector }, spec: { ...spec, serviceAccountName: 'robot' } };
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector, ports: [{ port: 443 }] } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { replicas: 0, selector: { matchLabels: selector }, template },
    },
  ];
}

const rolloutKind = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'rollouts.argoproj.io' },
  spec: {
    group: 'argoproj.io',
    scope: 'Namespaced',
    names: { plural: 'rollouts', singular: 'rollout', kind: 'Rollout' },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

const one = async (kind: keyof typeof workloadResources | 'Pod'): Promise<KubeObject> => {
  const { group, version, plural } = kind === 'Pod' ? resources.pods : workloadResources[kind];
  const root = group === '' ? '/api' : `/apis/${group}`;
  return (
    await cluster.plane.call<KubeObject>(
      'GET',
      `${root}/${version}/namespaces/${space.namespace}/${plural}/web`,
    )
  ).body;
};

async function restarting(): Promise<Record<string, unknown>> {
  const kinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Rollout', 'Pod'] as const;
  const workloads = await Promise.all(
    kinds.map(async (kind) => {
      const uid = (await one(kind)).metadata.uid ?? GONE;
      return { kind, name: 'web', uid, consent: kind === 'Pod' };
    }),
  );
  const cap = { percent: 100, most: 50 };
  const { namespace } = space;
  return { namespace, workloads, cap, old: { rule: 'existing' }, deadlineSeconds: 1, killedFirst: false };
}

/** Made anew where the last round left none. */
async function robot(): Promise<KubeObject> {
  const found = await cluster.plane.call<KubeObject>('GET', space.at('serviceaccounts', 'robot'));
  if (found.status === 200) return found.body;
  return await space.serviceAccount('robot');
}

/** What the API server has refused to the worker since the last time. */
function refusals(): () => Promise<string[]> {
  let seen = 0;
  return async () => {
    const events = (await cluster.plane.auditLog()).filter(
      ({ user, responseStatus }) => user.username === USERNAME && responseStatus?.code === 403,
    );
    const fresh = events.slice(seen);
    seen = events.length;
    return fresh.map(({ verb, requestURI, objectRef }) =>
      named({
        verb,
        group: /^\/apis\/([^/]+)/.exec(requestURI)?.[1] ?? '',
        resource: [objectRef?.resource ?? '', objectRef?.subresource].filter(Boolean).join('/'),
      }),
    );
  };
}

/** Replaces the rules of a role, and waits until the authorizer knows. */
async function grant(
  role: string,
  granted: readonly Grant[],
  changed: Grant,
  allowed: boolean,
): Promise<void> {
  const body = {
    metadata: { name: role },
    rules: granted.map(({ group, resource, verb }) => ({
      apiGroups: [group],
      resources: [resource],
      verbs: [verb],
    })),
  };
  await space.send('GET', `${ROLES}/${role}`);
  const { status } = await cluster.plane.call('PUT', `${ROLES}/${role}`, { body });
  expect(status).toBe(200);
  const { group, resource, verb } = changed;
  const resourceAttributes = { group, resource, verb, namespace: space.namespace };
  await until(async () => {
    const review = await cluster.plane.call<{ status: { allowed: boolean } }>(
      'POST',
      '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      { body: { spec: { user: USERNAME, resourceAttributes } } },
    );
    return review.body.status.allowed === allowed;
  });
}

describe('the permissions of the worker', () => {
  test('are enough, and each one is missed where it is taken away', { timeout: 900_000 }, async () => {
    await space.send('POST', space.at('secrets'), { metadata: { name: 'labelled' } });
    await space.send('POST', space.at('secrets'), { metadata: { name: 'owned', ownerReferences } });
    // Nobody is moved to what is not there.
    await space.serviceAccount('other');
    await deployAll();
    const refused = refusals();
    const told = await everything();
    expect(await refused()).toEqual([]);
    expect(told).not.toContain('lacks the permission');

    const unnoticed: string[] = [];
    const untold: string[] = [];
    for (const all of [read, act])
      for (const missing of all) {
        await grant(
          missing.role,
          all.filter((one) => one !== missing),
          missing,
          false,
        );
        const said = await everything();
        const fresh = new Set(await refused());
        await grant(missing.role, all, missing, true);
        if (fresh.size !== 1 || !fresh.has(named(missing)))
          unnoticed.push(`${named(missing)}: refused were ${[...fresh].join(', ') || 'none'}`);
        const { verb, resource } = missing;
        if (!said.includes(`\\"${verb}\\" on ${resource}`)) untold.push(named(missing));
      }
    expect(unnoticed).toEqual([]);
    // Then the kubeconfig's own server is all that is known, which the proof's level tells.
    expect(untold).toEqual(['list discovery.k8s.io/endpointslices']);
    await everything();
    expect(await refused()).toEqual([]);
  });

  test.each([
    ['in a namespace that was opted into', true],
    ['in any other namespace', false],
  ])('are all that it has %s', async (_where, optedIn) => {
    const { namespace } = optedIn ? space : await openSpace(cluster.plane, { optedIn: false });
    const worker = await canDo(kubeconfig, namespace);
    const nobody = await canDo(
      await cluster.plane.kubeconfig({ namespace: 'nobodys', serviceAccount: 'nobody' }),
      namespace,
    );
    expect(nobody.size).toBeGreaterThan(0);
    const own = [...worker].filter((one) => !nobody.has(one));
    const declared = [...read, ...(optedIn ? act : [])].map(named);
    expect(own.toSorted()).toEqual(declared.toSorted());
  });

  test('are the roles that the manifests hold', async () => {
    for (const { kind, metadata, rules: wanted } of workerRoles(actions, { ...WORKER, actIn: [] })) {
      if (kind !== 'ClusterRole') continue;
      const { body } = await cluster.plane.call<{ rules: Rule[] }>('GET', `${ROLES}/${metadata.name}`);
      const sorted = (list: Rule[]) => grantsOf('', list).map(named).toSorted();
      expect(sorted(body.rules)).toEqual(sorted(wanted as Rule[]));
    }
  });
});

/** What `kubectl auth can-i --list` asks for, as data. Paths that are no resources are everybody's. */
async function canDo(kubeconfigText: string, namespace: string): Promise<Set<string>> {
  const { users } = parse(kubeconfigText) as { users: { user: { token: string } }[] };
  const { body } = await cluster.plane.call<{ status: { resourceRules: Rule[]; incomplete: boolean } }>(
    'POST',
    '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
    { token: users[0]?.user.token ?? '', body: { spec: { namespace } } },
  );
  expect(body.status.incomplete).toBe(false);
  return new Set(grantsOf('', body.status.resourceRules).map(named));
}
