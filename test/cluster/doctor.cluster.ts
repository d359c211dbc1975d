// Doctor on a real control plane, whose authorizer decides: what the product grants is enough, and what is missing is named and healed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { create, type RealWorldCluster, realCluster } from '../../sandbox/real-world.ts';
import { WORKER } from '../../sandbox/world.ts';
import { actions } from '../../src/actions/index.ts';
import { clusters } from '../../src/cli/doctor/clusters.ts';
import { runDoctor } from '../../src/cli/doctor/doctor.ts';
import type { Report } from '../../src/cli/doctor/render.ts';
import { workerRoles } from '../../src/domain/kubernetes/rbac.ts';
import { troubles } from '../cli/doctor/world.ts';

const NAMESPACE = 'doctor-payments';

let cluster: RealWorldCluster;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tourniquet-doctor-'));
  cluster = await realCluster('prod', { servers: 2, actIn: [NAMESPACE] })();
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await cluster?.close();
});

interface Look {
  kubeconfig: string;
  apiServers?: { url: string }[] | undefined;
  actIn?: string[];
  now?: () => number;
}

async function doctor({ kubeconfig, apiServers, actIn = [], now }: Look): Promise<Report> {
  const path = join(directory, 'kubeconfig');
  const config = join(directory, 'tourniquet.yaml');
  writeFileSync(path, kubeconfig);
  const named = { name: 'prod', kubeconfig: path, ...(apiServers && { apiServers }) };
  const people = { approvers: ['U012ABCDEF', 'U034GHIJKL'] };
  writeFileSync(config, stringify({ slack: { channel: 'C012ABCDEF' }, people, clusters: [named] }));
  let out = '';
  await runDoctor(['--role', 'worker', '--json', ...actIn.flatMap((name) => ['--act-in', name])], {
    env: { TOURNIQUET_CONFIG: config },
    stdout: { write: (text) => (out += text) },
    list: [clusters],
    ...(now && { now }),
  });
  return JSON.parse(out) as Report;
}

/** A worker of its own, with all of the roles but this verb on this resource where it acts. */
async function workerWithout(serviceAccount: string, resource: string, verb: string): Promise<string> {
  const account = { ...WORKER, serviceAccount, actIn: [NAMESPACE] };
  const roles = workerRoles(actions, account).map((one) => ({
    ...one,
    metadata: { ...one.metadata, name: `${one.metadata.name}-${serviceAccount}` },
    ...(one.roleRef !== undefined && {
      roleRef: { ...(one.roleRef as object), name: `${one.metadata.name}-${serviceAccount}` },
    }),
    ...(one.rules !== undefined && {
      rules: (one.rules as { resources: string[]; verbs: string[] }[])
        .map((rule) =>
          rule.resources.includes(resource)
            ? { ...rule, verbs: rule.verbs.filter((given) => given !== verb) }
            : rule,
        )
        .filter(({ verbs }) => verbs.length > 0),
    }),
  }));
  await create(cluster.plane, roles);
  return cluster.kubeconfig({ namespace: WORKER.namespace, serviceAccount });
}

test('what the product grants is found enough, and each API server proves it', async () => {
  const { apiServers } = cluster;
  const report = await doctor({
    kubeconfig: await cluster.kubeconfig(WORKER),
    apiServers,
    actIn: [NAMESPACE],
  });
  // The kubeconfig of a test holds its token itself.
  expect(troubles(report).filter((line) => !line.includes('prod: credential'))).toEqual([]);
  expect(report.groups[0]?.checks).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        name: 'prod: API servers',
        seen: expect.stringMatching(/^2 addresses asked/),
      }),
      expect.objectContaining({ name: 'prod: acting', seen: `may act in ${NAMESPACE}` }),
      expect.objectContaining({ name: 'prod: connection', seen: expect.stringMatching(/^Kubernetes 1\./) }),
    ]),
  );
});

test('without --act-in it finds where the worker may act', async () => {
  const report = await doctor({
    kubeconfig: await cluster.kubeconfig(WORKER),
    apiServers: cluster.apiServers,
  });
  expect(report.groups[0]?.checks).toContainEqual({
    name: 'prod: acting',
    status: 'fine',
    seen: `may act in ${NAMESPACE}`,
  });
});

test.each([
  ['no-patch', 'secrets', 'patch', 'acting', `In ${NAMESPACE} .*:no-patch lacks: patch on secrets`],
  ['no-nodes', 'nodes', 'get', 'reading', '.*:no-nodes lacks, in the whole cluster: get on nodes'],
])(
  'one verb is missing (%s): it is named, and what is printed heals it',
  async (name, resource, verb, what, cause) => {
    const kubeconfig = await workerWithout(name, resource, verb);
    const look = { kubeconfig, apiServers: cluster.apiServers, actIn: [NAMESPACE] };
    const before = await doctor(look);
    const mine = (report: Report) => troubles(report).filter((line) => !line.includes('prod: credential'));
    expect(mine(before)).toEqual([
      expect.stringMatching(new RegExp(`^broken Clusters / prod: ${what}: ${cause}`)),
    ]);
    const remedy = before.groups[0]?.checks.find(({ name }) => name === `prod: ${what}`)?.remedy ?? '';
    const objects = parseAllDocuments(remedy.split('with:\n')[1] ?? '').map((one) => one.toJS() as object);
    expect(objects).toHaveLength(2);
    await create(cluster.plane, objects);
    await expect.poll(async () => mine(await doctor(look)), { timeout: 30_000 }).toEqual([]);
  },
);

test('an administrator is too much for a worker, and shows no healthy token', async () => {
  const report = await doctor({ kubeconfig: cluster.plane.adminKubeconfig, apiServers: cluster.apiServers });
  expect(troubles(report)).toEqual(
    expect.arrayContaining([
      expect.stringMatching(
        /^warning Clusters \/ prod: power: .*cluster-admin.* → .*docs\/worker-rbac\.yaml/s,
      ),
      expect.stringMatching(/^warning Clusters \/ prod: control token: .*control: \{ namespace:/s),
    ]),
  );
});

test('a credential that is refused, and one that ended', async () => {
  const gone = { namespace: WORKER.namespace, serviceAccount: 'gone' };
  const kubeconfig = await cluster.kubeconfig(gone);
  const later = () => Date.now() + 400 * 86_400_000;
  expect(troubles(await doctor({ kubeconfig, now: later }))).toContainEqual(
    expect.stringMatching(
      /^broken Clusters \/ prod: credential: The worker's credential expired at .* → Renew it/,
    ),
  );
  const { code } = await cluster.plane.kubectl([
    '-n',
    gone.namespace,
    'delete',
    'serviceaccount',
    gone.serviceAccount,
  ]);
  expect(code).toBe(0);
  await expect
    .poll(async () => troubles(await doctor({ kubeconfig })).find((line) => line.includes('connection')), {
      timeout: 30_000,
    })
    .toMatch(/^broken Clusters \/ prod: connection: .*401.* → Make a new credential .*create token/);
});
