// A bot and a worker with nothing but what the chart gives them, its ServiceAccount's token, its roles, its ConfigMap, do the main job and rotate.
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControlPlane, freePorts, startControlPlane } from 'kube-sandbox/controlplane';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  create,
  type RealWorld,
  type RealWorldCluster,
  slackSideOf,
  USERNAME,
} from '../../sandbox/real-world.ts';
import { INCIDENTS, startWorld, WORKER } from '../../sandbox/world.ts';
import { type Helm, openHelm, type Values } from '../chart/helm.ts';
import { smallest } from '../chart/values.ts';
import {
  buttonOf,
  cardShows,
  cards,
  idOf,
  opened,
  press,
  pressWithReason,
  threadSays,
} from '../e2e/stage.ts';
import { until } from './leak.ts';
import { ACCOUNT, deploy, leak, openSpace, type Space } from './leaks.ts';
import { answersTo, refusedBy, writesOf } from './real-stage.ts';

const PATIENCE_MS = 60_000;
const { namespace: NAMESPACE } = WORKER;

let helm: Helm;
let directory: string;
let space: Space;
let world: RealWorld;

/** `install` or `upgrade`, as people do it; the worker may act where the leak is. */
async function chart(verb: 'install' | 'upgrade', values: Values, bind?: object): Promise<void> {
  const to = ['--namespace', NAMESPACE, '--kubeconfig', join(directory, 'kubeconfig')];
  const rbac = { actIn: [space.namespace], ...(bind ? { bind } : {}) };
  const { code, stderr } = await helm([verb, NAMESPACE, ...to], { ...smallest, ...values, rbac });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

async function clusterWithChart(): Promise<RealWorldCluster> {
  const plane = await startControlPlane({ name: 'prod', servers: 2 });
  await writeFile(join(directory, 'kubeconfig'), plane.adminKubeconfig);
  const stringData = { TOURNIQUET_KEY: randomBytes(32).toString('base64') };
  await create(plane, [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tourniquet', namespace: NAMESPACE }, stringData },
  ]);
  space = await openSpace(plane, { optedIn: false });
  await chart('install', {});
  return {
    plane,
    name: plane.name,
    servers: plane.servers,
    caPem: plane.caPem,
    apiServers: plane.servers.map(({ url }) => ({ url })),
    create: (...manifests) => create(plane, manifests),
    kubeconfig: (user) => plane.kubeconfig(user),
    killedAt: async () => undefined,
    close: () => plane.close(),
  };
}

const configuration = async () => parse(await readFile(world.env.TOURNIQUET_CONFIG ?? '', 'utf8')) as object;

/** The program reads what the chart made of its configuration. */
async function throughTheChart(plane: ControlPlane): Promise<void> {
  const file = world.env.TOURNIQUET_CONFIG ?? '';
  await chart('upgrade', { config: await configuration() });
  const { stdout } = await plane.kubectl(['get', 'configmap', 'tourniquet', '-n', NAMESPACE, '-o', 'json']);
  const { data } = JSON.parse(stdout) as { data: Record<string, string> };
  await writeFile(file, data['tourniquet.yaml'] ?? '');
}

beforeAll(async () => {
  helm = await openHelm();
  directory = await mkdtemp(join(tmpdir(), 'tourniquet-chart-'));
  const [port = 0, healthPort = 0] = await freePorts(2);
  world = await startWorld<RealWorldCluster>({
    clusters: { prod: clusterWithChart },
    slack: { rates: 'off' },
    config: {
      autoContain: 'token-in-hand',
      http: { host: '127.0.0.1', port, healthPort },
      proof: { stability: '300ms', retryEvery: '100ms', recheckAfter: ['1h'] },
      sweepEvery: '500ms',
      slack: { updateEvery: '1ms', burst: { cards: 1000 } },
    },
  });
  await throughTheChart(world.cluster('prod').plane);
  await world.startRole('bot');
  await world.startRole('worker');
}, 1_800_000);
afterAll(async () => {
  await world?.close();
  await helm?.close();
  if (directory) await rm(directory, { recursive: true, force: true });
});
beforeEach(({ onTestFailed }) =>
  onTestFailed(() => {
    console.log(world.slack.transcript('incidents'));
    console.log(world.output().slice(-6000));
  }),
);

test('a leaked token is contained, proven dead, and deleted after approval, without one request being refused', async () => {
  const cluster = world.cluster('prod');
  const slackSide = slackSideOf(world);
  await deploy(cluster.plane, space);
  const token = await leak(space, 'legacy');
  const id = await opened(
    await world.report({ severity: 'critical', token, where: { text: 'a public gist' } }),
  );
  await threadSays(slackSide, id, /Proof: refused by 2 of 2 API servers/, PATIENCE_MS);
  expect(await answersTo(cluster, token)).toEqual([401, 401]);
  await cardShows(slackSide, id, /Approve plan/, PATIENCE_MS);
  await press(slackSide, id, 'ines', 'Approve plan');
  await threadSays(slackSide, id, /Closed as resolved/, PATIENCE_MS);
  const carriedOut = (await writesOf(cluster, space.namespace)).filter((write) => write.endsWith(' 200'));
  expect([...new Set(carriedOut)]).toEqual([
    'patch secrets checkout-token 200',
    'delete secrets checkout-token 200',
  ]);
  expect(await refusedBy(cluster)).toEqual([]);
});

const RBAC = 'rbac.authorization.k8s.io';

/** Bindings of each kind, to roles of each kind: what a new ServiceAccount must be given too. */
async function givePower(cluster: RealWorldCluster): Promise<void> {
  const { namespace } = space;
  const apiVersion = `${RBAC}/v1`;
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }];
  const subjects = [{ kind: 'ServiceAccount', name: ACCOUNT, namespace }];
  const binding = (kind: string, name: string, role: string, where: object) => ({
    apiVersion,
    kind,
    metadata: { name, ...where },
    roleRef: { apiGroup: RBAC, kind: role, name },
    subjects,
  });
  await cluster.create(
    { apiVersion, kind: 'Role', metadata: { name: 'ledger', namespace }, rules },
    { apiVersion, kind: 'ClusterRole', metadata: { name: 'catalogue' }, rules },
    binding('RoleBinding', 'ledger', 'Role', { namespace }),
    binding('RoleBinding', 'catalogue', 'ClusterRole', { namespace }),
    binding('ClusterRoleBinding', 'catalogue', 'ClusterRole', {}),
  );
}

/** API servers read RBAC from caches, which follow a moment later. */
async function workerMay({ plane }: RealWorldCluster, rights: object[]): Promise<void> {
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  for (const [server] of plane.servers.entries())
    for (const right of rights) {
      const body = { spec: { user: USERNAME, resourceAttributes: { group: RBAC, ...right } } };
      await until(
        async () =>
          (await plane.call<{ status: { allowed: boolean } }>('POST', path, { server, body })).body.status
            .allowed,
      );
    }
}

test('a rotation to a new ServiceAccount with the same power, by the roles that rbac.bind names, without one request being refused', async () => {
  const cluster = world.cluster('prod');
  const slackSide = slackSideOf(world);
  const { namespace } = space;
  await givePower(cluster);
  const old = await space.requestToken(ACCOUNT);
  const bind = { roles: ['ledger'], clusterRoles: ['catalogue'], clusterWide: true };
  await chart('upgrade', { config: await configuration() }, bind);
  await workerMay(cluster, [
    { verb: 'create', resource: 'rolebindings', namespace },
    { verb: 'bind', resource: 'roles', namespace, name: 'ledger' },
    { verb: 'bind', resource: 'clusterroles', namespace, name: 'catalogue' },
    { verb: 'create', resource: 'clusterrolebindings' },
    { verb: 'bind', resource: 'clusterroles', name: 'catalogue' },
  ]);

  await world.slack.slash(
    'maya',
    INCIDENTS,
    `/rotate-sa prod/${namespace}/${ACCOUNT} new-service-account yearly`,
  );
  const card = await slackSide.slack.waitFor(
    () => cards(slackSide).find((one) => buttonOf(one, 'Approve plan') !== undefined),
    PATIENCE_MS,
    'the plan of the rotation',
  );
  const id = idOf(card);
  await press(slackSide, id, 'ines', 'Approve plan');
  await pressWithReason(slackSide, id, 'ines', 'Users outside…', 'nobody outside uses it');
  await threadSays(slackSide, id, /Closed as resolved/, PATIENCE_MS);
  expect(await answersTo(cluster, old)).toEqual([401, 401]);
  expect(await space.exists(space.at('serviceaccounts', ACCOUNT))).toBe(false);
  const pods = await space.send<{ items: { spec: { serviceAccountName: string } }[] }>(
    'GET',
    space.at('pods'),
  );
  expect(pods.items.map(({ spec }) => spec.serviceAccountName)).toEqual([
    expect.stringMatching(new RegExp(`^${ACCOUNT}-.`)),
  ]);
  const writes = [...(await writesOf(cluster, namespace)), ...(await writesOf(cluster))];
  expect(writes.filter((write) => /^create \w*bindings .* 201$/.test(write))).toHaveLength(3);
  expect(await refusedBy(cluster)).toEqual([]);
});
