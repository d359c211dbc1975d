// What admission refuses on a real control plane is told as that, and nothing is killed for a way that cannot be finished.
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type RealWorldCluster, realCluster } from '../../sandbox/real-world.ts';
import { WORKER } from '../../sandbox/world.ts';
import type { Incident } from '../../src/domain/incident/incident.ts';
import { isReady, type PodObject } from '../../src/domain/kubernetes/objects.ts';
import { resources } from '../../src/domain/kubernetes/resources.ts';
import type { Goal } from '../../src/domain/plan/goal.ts';
import { isAppError } from '../../src/errors.ts';
import type { ObjectRef } from '../../src/ports/cluster.ts';
import {
  GATEKEEPER,
  KYVERNO,
  policy,
  remove,
  startWebhooks,
  type Target,
  type Webhooks,
  WORDS,
} from './admission.ts';
import { type EngineRoom, openEngineRoom } from './engine-room.ts';
import { type KubeObject, until } from './leak.ts';
import { ACCOUNT, deploy, leak, openSpace, type Space } from './leaks.ts';
import { answersTo } from './real-stage.ts';

let cluster: RealWorldCluster;
let hooks: Webhooks;
let room: EngineRoom;
let installed: object[] = [];

beforeAll(async () => {
  hooks = await startWebhooks();
  cluster = await realCluster('prod', { nodes: 1 })();
});
beforeEach(async () => {
  const { apiServers } = cluster;
  room = await openEngineRoom({
    kubeconfig: await cluster.kubeconfig(WORKER),
    config: { ...(apiServers && { apiServers }) },
    settings: { autoContain: 'off' },
  });
});
afterEach(async () => {
  await room?.close();
  if (installed.length > 0) await remove(cluster, installed);
  installed = [];
});
afterAll(async () => {
  await cluster?.close();
  await hooks?.close();
});

const SECRET = 'checkout-token';
const secretRef = (namespace: string): ObjectRef => ({
  resource: resources.secrets,
  namespace,
  name: SECRET,
});

/** Puts it in front, and waits until the API server asks it about writes of the worker. */
async function install(manifests: object[], isAsked: () => Promise<unknown>): Promise<void> {
  await cluster.create(...manifests);
  installed.push(...manifests);
  await until(async () => {
    try {
      await isAsked();
      return false;
    } catch (error) {
      return isAppError(error, 'denied', 'unsupported');
    }
  });
}

const touch = ({ namespace }: Space) =>
  room.prod.tryPatch(secretRef(namespace), [
    { op: 'add', path: '/metadata/annotations/touched', value: 'yes' },
  ]);

const secretsOf = ({ namespace }: Space, ...operations: Target['operations']): Target => ({
  namespace,
  apiGroups: [''],
  resources: ['secrets'],
  operations,
});

/** Each as its maker was seen to refuse. */
const REFUSING: [string, (name: string, target: Target) => Promise<object[]>, RegExp][] = [
  [
    'ValidatingAdmissionPolicy without a reason',
    async (name, target) => policy(name, target),
    /ValidatingAdmissionPolicy NAME \(binding NAME\)/,
  ],
  [
    'ValidatingAdmissionPolicy with Forbidden',
    async (name, target) => policy(name, target, 'Forbidden'),
    /ValidatingAdmissionPolicy NAME \(binding NAME\)/,
  ],
  [
    'ValidatingAdmissionPolicy with RequestEntityTooLarge',
    async (name, target) => policy(name, target, 'RequestEntityTooLarge'),
    /ValidatingAdmissionPolicy NAME \(binding NAME\)/,
  ],
  [
    'Kyverno',
    async (name, target) => [await hooks.refusing('validate.kyverno.svc-fail', KYVERNO(name), target)],
    /webhook validate\.kyverno\.svc-fail \(policy NAME\)/,
  ],
  [
    'Gatekeeper',
    async (name, target) => [await hooks.refusing('validation.gatekeeper.sh', GATEKEEPER(name), target)],
    /webhook validation\.gatekeeper\.sh \(constraint NAME\)/,
  ],
  ...[404, 409, 422, 429, 500].map(
    (code): [string, (name: string, target: Target) => Promise<object[]>, RegExp] => [
      `any webhook with ${code}`,
      async (_, target) => [await hooks.refusing('guard.example.test', { message: WORDS, code }, target)],
      /webhook guard\.example\.test/,
    ],
  ),
];
const namedIn = (pattern: RegExp, name: string) => new RegExp(pattern.source.replaceAll('NAME', name));
const WRONG = /does not hold the leaked token|the leaked one is dead|lacks the permission|already gone|RBAC/;

async function planned(space: Space, token: string, goal?: Goal): Promise<string> {
  const { incidentId } = await room.leak(token, goal ? { goal } : {});
  await room.until(incidentId, ({ plan }) => plan !== undefined);
  expect(room.incident(incidentId).identity?.namespace).toBe(space.namespace);
  return incidentId;
}
const stopped = ({ runs }: Incident): boolean => runs.at(-1)?.stopped !== undefined;
const why = (id: string): string => room.incident(id).runs.at(-1)?.stopped ?? '';
const told = (id: string): string => JSON.stringify(room.memory.events(id));
const troubled = ({ troubles, runs }: Incident): boolean =>
  troubles.run !== undefined || runs.at(-1)?.stopped !== undefined;

describe.each(REFUSING)('%s', (kind, make, by) => {
  test('refuses the quarantine, and is told so', async () => {
    const space = await openSpace(cluster.plane);
    const token = await leak(space, 'legacy');
    const id = await planned(space, token);
    const name = `frozen-${space.namespace}`;
    await install(await make(name, secretsOf(space, 'UPDATE')), () => touch(space));
    await room.click(id, 'contain', 'UINES');
    const { troubles } = await room.until(id, troubled);
    const words = `${why(id)} ${troubles.run?.message ?? ''}`;
    expect(words).toMatch(namedIn(by, name));
    expect(words).toContain(WORDS);
    expect(words).toMatch(/To see it: kubectl --context prod get /);
    expect(told(id)).not.toMatch(WRONG);
    expect(await answersTo(cluster, token)).toEqual([201]);
    // Asked to come back, it does.
    expect(troubles.run === undefined).toBe(!kind.endsWith('429'));
  });

  test('refuses the deletion, and is told so', async () => {
    const space = await openSpace(cluster.plane);
    const token = await leak(space, 'legacy');
    const id = await planned(space, token);
    await room.click(id, 'contain', 'UINES');
    await room.until(id, ({ runs }) => runs.at(-1)?.steps.every(({ outcome }) => outcome) ?? false);
    const name = `kept-${space.namespace}`;
    await install(await make(name, secretsOf(space, 'UPDATE', 'DELETE')), () => touch(space));
    await room.click(id, 'approve', 'UINES');
    const { troubles } = await room.until(id, troubled);
    const words = `${why(id)} ${troubles.run?.message ?? ''}`;
    expect(words).toMatch(namedIn(by, name));
    expect(words).toContain(WORDS);
    expect(told(id)).not.toMatch(WRONG);
    expect(await space.exists(space.at('secrets', SECRET))).toBe(true);
  });
});

test('a command that shows where a refusal lives is one that kubectl takes', async () => {
  const space = await openSpace(cluster.plane);
  await leak(space, 'legacy');
  const name = `shown-${space.namespace}`;
  const target = secretsOf(space, 'UPDATE');
  await install(
    [...policy(name, target), await hooks.refusing('guard.example.test', { message: WORDS }, target)],
    () => touch(space),
  );
  const kubectl = (words: string) => cluster.plane.kubectl(words.split(' '));
  const shown = await kubectl(
    `get validatingadmissionpolicy/${name} validatingadmissionpolicybinding/${name} -o yaml`,
  );
  expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining(WORDS)]);
  const listed = await kubectl(
    'get validatingwebhookconfigurations,mutatingwebhookconfigurations -o custom-columns=NAME:.metadata.name,WEBHOOKS:.webhooks[*].name',
  );
  expect([listed.code, listed.stdout]).toEqual([0, expect.stringContaining('guard.example.test')]);
});

test('a right that is missing is still told as one', async () => {
  const space = await openSpace(cluster.plane, { optedIn: false });
  const token = await leak(space, 'legacy');
  const { incidentId: id } = await room.leak(token);
  await room.until(id, ({ plan, unidentified }) => plan !== undefined || unidentified !== undefined);
  const error = await room.prod
    .patch(secretRef(space.namespace), [{ op: 'test', path: '/metadata/uid', value: 'x' }])
    .catch((thrown) => thrown);
  expect(error).toMatchObject({
    code: 'forbidden',
    message: expect.stringContaining(
      `lacks the permission "patch" on secrets in namespace ${space.namespace}`,
    ),
  });
});

const RECREATE: Goal = { do: 'rotate', strategy: 'recreate' };
const uidOf = async ({ send, at }: Space, kind: string, name: string) =>
  (await send<KubeObject>('GET', at(kind, name))).metadata.uid;

/** A Deployment that reads the leaked token Secret, and a plan to re-create its ServiceAccount. */
async function recreating(before: (space: Space) => Promise<void>): Promise<[Space, string, string]> {
  const space = await openSpace(cluster.plane);
  const token = await leak(space, 'legacy');
  await deploy(cluster.plane, space, {
    volumes: [{ name: 'token', secret: { secretName: SECRET } }],
  });
  await until(async () => (await podsIn(space)).every(isReady));
  await before(space);
  return [space, await planned(space, token, RECREATE), token];
}
const podsIn = async ({ send, at }: Space) => (await send<{ items: PodObject[] }>('GET', at('pods'))).items;
const notes = (id: string): string => room.incident(id).plan?.notes.join('\n') ?? '';

describe('re-creation under our own advised no-token-secrets.yaml', () => {
  test('says at planning that it would lose the token Secret, stops before, and goes on once it may', async () => {
    const advised = parseAllDocuments(
      await readFile(new URL('../../docs/policies/no-token-secrets.yaml', import.meta.url), 'utf8'),
    ).map((document): object => document.toJS());
    const [space, id, token] = await recreating(async (its) => {
      await its.send('PATCH', `/api/v1/namespaces/${its.namespace}`, {
        metadata: { labels: { 'long-lived-tokens': 'denied' } },
      });
      const body = {
        type: 'kubernetes.io/service-account-token',
        metadata: { name: 'probe', annotations: { 'kubernetes.io/service-account.name': ACCOUNT } },
      };
      await install(advised, () =>
        room.prod.tryCreate({ resource: resources.secrets, namespace: its.namespace }, body),
      );
    });
    expect(notes(id)).toMatch(
      /A dry run of this plan is refused, .*ValidatingAdmissionPolicy no-token-secrets \(binding no-token-secrets\) refused it: "Secret checkout-token would hold a token that never ends/,
    );
    const before = await Promise.all([
      uidOf(space, 'serviceaccounts', ACCOUNT),
      uidOf(space, 'secrets', SECRET),
    ]);
    await room.click(id, 'approve', 'UINES');
    await room.until(id, stopped);
    expect(why(id)).toMatch(/Not begun, and nothing was done for good, .*no-token-secrets/);
    expect(
      await Promise.all([uidOf(space, 'serviceaccounts', ACCOUNT), uidOf(space, 'secrets', SECRET)]),
    ).toEqual(before);
    await space.send('PATCH', `/api/v1/namespaces/${space.namespace}`, {
      metadata: { labels: { 'long-lived-tokens': null } },
    });
    await room.until(id, ({ plan }) => plan !== undefined);
    const hash = room.incident(id).runs.at(-1)?.id ?? '';
    expect(await room.click(id, 'retry', 'UINES', { hash })).toMatchObject({ decided: true });
    await room.until(id, ({ proof }) => proof?.outcome?.verdict === 'done');
    expect(await uidOf(space, 'serviceaccounts', ACCOUNT)).not.toBe(before[0]);
    expect(await space.exists(space.at('secrets', SECRET))).toBe(true);
    expect(await answersTo(cluster, token)).toEqual([401]);
  });
});

test('what a webhook refuses only in earnest comes with its words, and the restarts come all the same', async () => {
  const [space, id, token] = await recreating(async (its) => {
    const target = secretsOf(its, 'CREATE');
    const where = { resource: resources.secrets, namespace: its.namespace };
    const hook = await hooks.refusing('guard.example.test', { message: WORDS }, target, 'in-earnest');
    await install([hook], () => room.prod.create(where, { metadata: { generateName: 'probe-' } }));
    await room.prod.tryCreate(where, { metadata: { name: 'probe' } });
  });
  const before = await podsIn(space);
  expect(notes(id)).toMatch(
    /Not known from a dry run: whether ServiceAccount \S+\/checkout, Secret \S+\/checkout-token will be let through\. The name is taken/,
  );
  await room.click(id, 'approve', 'UINES');
  const run = () => room.incident(id).runs.at(-1);
  // Its Pods cannot start without the Secret, on a real kubelet: the fake one starts them.
  await room.until(id, stopped);
  expect(why(id)).toMatch(/webhook guard\.example\.test refused it: "hands cannot touch this"/);
  const verdicts = Object.fromEntries(
    run()?.steps.map(({ step, outcome }) => [step.action, outcome?.verdict]) ?? [],
  );
  expect(verdicts).toMatchObject({
    'recreate-service-account': 'done',
    'recreate-token-secrets': 'not-done',
    'restart-workloads': 'done',
  });
  const after = (await podsIn(space)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  expect(after.map(({ metadata }) => metadata.uid)).not.toContain(before[0]?.metadata.uid);
  expect(await answersTo(cluster, token)).toEqual([401]);
});

test('a name that is taken says nothing of what refuses, and what refuses is asked before it', async () => {
  const space = await openSpace(cluster.plane);
  await leak(space, 'legacy');
  const where = { resource: resources.secrets, namespace: space.namespace };
  const again = () => room.prod.tryCreate(where, { metadata: { name: SECRET } });
  expect(await again().catch((error) => error)).toMatchObject({ code: 'conflict' });
  await install(policy(`taken-${space.namespace}`, secretsOf(space, 'CREATE')), again);
});

const containers = [{ name: 'main', image: 'example.test/none' }];
const workload = (kind: string, namespace: string) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'web', namespace },
  spec: {
    ...(kind === 'DaemonSet' ? {} : { replicas: 2 }),
    ...(kind === 'StatefulSet' ? { serviceName: 'web' } : {}),
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { serviceAccountName: ACCOUNT, containers } },
  },
});

const makesNoPod = (space: Space) =>
  space
    .send('POST', `${space.at('pods')}?dryRun=All`, {
      metadata: { name: 'probe' },
      spec: { serviceAccountName: ACCOUNT, containers },
    })
    .then(
      () => false,
      () => true,
    );

/** From the beginning of the step to the end of the run, by the worker's clock. */
function tookMs(id: string): number {
  const at = (wanted: string) => room.memory.events(id).findLast(({ type }) => type === wanted)?.at ?? '';
  return Date.parse(at('run-stopped')) - Date.parse(at('step-started'));
}

describe.each(['Deployment', 'StatefulSet', 'DaemonSet'])('a %s whose new Pods are refused', (kind) => {
  test.each<[string, (space: Space) => Promise<object[]>, RegExp]>([
    [
      'a policy',
      async ({ namespace }) =>
        policy(
          `pods-${namespace}`,
          { namespace, apiGroups: [''], resources: ['pods'], operations: ['CREATE'], whose: 'anybody' },
          'Forbidden',
        ),
      /ValidatingAdmissionPolicy pods-\S+ .*hands cannot touch this/,
    ],
    [
      'Pod Security',
      async ({ namespace, send }) => {
        await send('PATCH', `/api/v1/namespaces/${namespace}`, {
          metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
        });
        return [];
      },
      /Pod Security \(restricted:latest\) refused it: "violates PodSecurity.*get namespace facts-\S+ --show-labels/,
    ],
    [
      'a quota',
      async ({ namespace }) => [
        {
          apiVersion: 'v1',
          kind: 'ResourceQuota',
          metadata: { name: 'full', namespace },
          spec: { hard: { pods: '0' } },
        },
      ],
      /ResourceQuota full refused it: "exceeded quota: full.*describe resourcequota full/,
    ],
    [
      'a LimitRange',
      async ({ namespace }) => [
        {
          apiVersion: 'v1',
          kind: 'LimitRange',
          metadata: { name: 'small', namespace },
          spec: { limits: [{ type: 'Pod', max: { cpu: '1' } }] },
        },
      ],
      /a LimitRange refused it: "maximum cpu usage per Pod.*describe limitrange/,
    ],
  ])('by %s stops the roll-out within a minute or so', async (_, refuse, words) => {
    const space = await openSpace(cluster.plane);
    const token = await leak(space, 'unbound');
    await cluster.create(workload(kind, space.namespace));
    const wanted = kind === 'DaemonSet' ? 1 : 2;
    await until(async () => {
      const pods = await podsIn(space);
      return pods.length === wanted && pods.every(isReady);
    });
    const manifests = await refuse(space);
    if (manifests.length > 0) await cluster.create(...manifests);
    installed.push(...manifests.filter((each) => !('namespace' in (each as KubeObject).metadata)));
    await until(() => makesNoPod(space));
    const id = await planned(space, token, { do: 'restart' });
    await room.click(id, 'approve', 'UINES');
    let done = false;
    const end = room.until(id, stopped).finally(() => {
      done = true;
    });
    // The worker's patience costs no time here, that of the real controllers does.
    const hurry = async () => {
      while (!done) {
        room.forward(2000);
        await delay(500);
      }
    };
    await Promise.all([end, hurry()]);
    expect(why(id)).toContain(`${kind}/web: Its new Pods are refused.`);
    expect(why(id)).toMatch(words);
    expect(tookMs(id)).toBeLessThan(200_000);
  });
});
