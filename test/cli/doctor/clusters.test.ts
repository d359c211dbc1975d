// Doctor on clusters: what the worker needs of each, and what it should not have, asked of simulated ones.
import { startCluster } from 'kube-sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { clusters as check } from '../../../src/cli/doctor/clusters.ts';
import { type DoctorWorld, expectFound, openDoctorWorld, type Planted, troubles } from './world.ts';

let world: DoctorWorld;
beforeAll(async () => {
  world = await openDoctorWorld();
});
afterAll(() => world.close());

const list = [check];
const READ = 'tourniquet-worker-read';
const ACT = 'tourniquet-worker-namespace';
const DAY = 86_400_000;

const cluster = (more: object, { sound }: DoctorWorld = world) => ({
  list,
  config: { clusters: [{ ...sound.clusters[0], ...more }] },
});

/** A worker of its own, bound as said. */
const worker = (name: string, ...roles: [role: string, namespace?: string][]) => {
  const kubeconfig = world.kubeconfig(name);
  for (const [role, namespace] of roles) world.bind(name, role, namespace);
  return cluster({ kubeconfig });
};

const PLANTED: Planted[] = [
  {
    title: 'a kubeconfig that is not there',
    look: () => cluster({ kubeconfig: '/nowhere/kubeconfig' }),
    says: 'broken Clusters / prod: kubeconfig',
    cause: /cannot read the kubeconfig/,
    remedy: /config view/,
  },
  {
    title: 'no kubeconfig, and no Pod',
    look: () => cluster({ kubeconfig: undefined }),
    says: 'broken Clusters / prod: kubeconfig',
    cause: /not a Pod/,
    remedy: /ServiceAccount token mounted/,
  },
  {
    title: 'nobody there',
    look: ({ cluster: { url, caPem } }) => {
      const text = kubeconfigText(url.replace(/\d+$/, '1'), caPem);
      return cluster({ kubeconfig: world.file(text) });
    },
    says: 'broken Clusters / prod: connection',
    cause: /connection refused/,
    remedy: /\/version/,
  },
  {
    title: 'a certificate of another authority',
    async look({ cluster: { url } }) {
      const other = await startCluster();
      await other.close();
      return cluster({ kubeconfig: world.file(kubeconfigText(url, other.caPem)) });
    },
    says: 'broken Clusters / prod: connection',
    cause: /certificate not trusted/,
    remedy: /certificate-authority/,
  },
  {
    title: 'a credential that is not accepted',
    look: ({ cluster: { url, caPem } }) => cluster({ kubeconfig: world.file(kubeconfigText(url, caPem)) }),
    says: 'broken Clusters / prod: connection',
    cause: /401/,
    remedy: /create token worker/,
  },
  {
    title: 'a credential that has expired',
    look: () => ({ ...cluster({}), now: () => Date.now() + 366 * DAY }),
    says: 'broken Clusters / prod: credential',
    cause: /expired at/,
    remedy: /tokenFile/,
    also: ['warning Clusters / prod: clock'],
  },
  {
    title: 'a credential that ends soon',
    look: () => ({ ...cluster({}), now: () => Date.now() + 362 * DAY }),
    says: 'warning Clusters / prod: credential',
    cause: /nothing renews it/,
    remedy: /exec plug-in/,
    also: ['warning Clusters / prod: clock'],
  },
  {
    title: 'a clock that is off',
    look: () => ({ ...cluster({}), now: () => Date.now() - 120_000 }),
    says: 'warning Clusters / prod: clock',
    cause: /1(19|20|21) seconds behind/,
    remedy: /NTP/,
  },
  {
    title: 'keys that cannot be read',
    look(w) {
      w.cluster.faults.failNext(1, 403, ({ path }) => path.startsWith('/openid'));
      return cluster({});
    },
    says: 'broken Clusters / prod: signing keys',
    cause: /403/,
    remedy: /system:service-account-issuer-discovery/,
  },
  {
    title: 'an API server that cannot be reached',
    look: (w) => cluster({ apiServers: [{ url: w.cluster.url }, { url: 'https://127.0.0.1:1' }] }),
    says: 'broken Clusters / prod: API servers',
    cause: /https:\/\/127\.0\.0\.1:1 cannot be asked \(connection refused\)/,
    remedy: /Open the way .*NetworkPolicy/,
  },
  {
    title: 'addresses of API servers that are not known',
    look(w) {
      w.cluster.faults.failNext(1, 403, ({ path }) => path.includes('/endpointslices'));
      return cluster({});
    },
    says: 'warning Clusters / prod: API servers',
    cause: /only speak of the one address/,
    remedy: /apiServers: \[\{ url:/,
  },
  {
    title: 'one right missing where it acts',
    look(w) {
      const { seed } = w.cluster;
      const rules = (
        w.cluster.get(`/apis/rbac.authorization.k8s.io/v1/clusterroles/${ACT}`) as unknown as {
          rules: { resources: string[]; verbs: string[] }[];
        }
      ).rules;
      const less = rules.map((rule) =>
        rule.resources.includes('secrets')
          ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== 'patch') }
          : rule,
      );
      seed.clusterRole('no-patch', less as Parameters<typeof seed.clusterRole>[1]);
      return worker('no-patch', [READ], ['no-patch', 'payments']);
    },
    says: 'broken Clusters / prod: acting',
    cause: /In payments system:serviceaccount:tourniquet:no-patch lacks: patch on secrets\.$/,
    remedy: /kind: Role\n[\s\S]*namespace: payments[\s\S]*secrets[\s\S]*patch[\s\S]*kind: RoleBinding/,
  },
  {
    title: 'no rights in a namespace where it is meant to act',
    look: () => ({ ...worker('reader', [READ]), argv: ['--role', 'all', '--act-in', 'payments'] }),
    says: 'broken Clusters / prod: acting',
    cause: /In payments .* lacks: get, list, patch, create, delete on secrets/,
    remedy: /kind: RoleBinding/,
  },
  {
    title: 'nowhere to act',
    look: () => worker('onlooker', [READ]),
    says: 'warning Clusters / prod: acting',
    cause: /may act in no namespace/,
    remedy: /rbac\.actIn.*create rolebinding/,
  },
  {
    title: 'no rights to read',
    look: () => worker('blind', [ACT, 'payments']),
    says: 'broken Clusters / prod: reading',
    cause: /lacks, in the whole cluster: get, list on namespaces/,
    remedy: /kind: ClusterRole\n[\s\S]*kind: ClusterRoleBinding/,
  },
  {
    title: 'a namespace to search without the right to',
    look: () => cluster({ searchNamespaces: ['kube-public'] }),
    says: 'broken Clusters / prod: searching',
    cause: /names kube-public/,
    remedy: /namespace: kube-public/,
  },
  {
    title: 'a worker that may do everything',
    look: () => worker('boss', ['cluster-admin']),
    says: 'warning Clusters / prod: power',
    cause: /cluster-admin/,
    remedy: /docs\/worker-rbac\.yaml/,
  },
  {
    title: 'a worker that may read every Secret',
    look: () => worker('everywhere', [READ], [ACT]),
    says: 'warning Clusters / prod: power',
    cause: /read every Secret/,
    remedy: /RoleBinding in each namespace/,
  },
];

const kubeconfigText = (server: string, caPem: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'a',
    clusters: [
      { name: 'a', cluster: { server, 'certificate-authority-data': Buffer.from(caPem).toString('base64') } },
    ],
    users: [{ name: 'a', user: { token: 'nobody' } }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
  });

test.each(PLANTED)('$title', (planted) => expectFound(world, planted));

test('a namespace of another cluster is not asked for here', async () => {
  const look = (place: string) => ({ ...cluster({}), argv: ['--role', 'all', '--act-in', place] });
  expect(troubles((await world.doctor(look('other/kube-public'))).report)).toEqual([]);
  expect(troubles((await world.doctor(look('prod/kube-public'))).report)).toEqual([
    expect.stringMatching(/^broken Clusters \/ prod: acting: In kube-public /),
  ]);
});

test('of an old API server it says what it ignores', async () => {
  const old = await startCluster({ version: '1.28.4' });
  old.seed.namespace('tourniquet');
  const kubeconfig = world.file(old.kubeconfig({ namespace: 'tourniquet', serviceAccount: 'worker' }));
  const { report } = await world.doctor(cluster({ kubeconfig }));
  expect(troubles(report)).toContainEqual(
    expect.stringMatching(
      /^warning Clusters \/ prod: version: .*1\.28: before 1\.29 it ignores the label.* → Upgrade/,
    ),
  );
  await old.close();
});

test('what it prints to be added can be applied, and then nothing is missing', async () => {
  const look = { ...worker('healed', [READ]), argv: ['--role', 'worker', '--act-in', 'payments'] };
  const { report } = await world.doctor(look);
  const [, remedy = ''] =
    /with:\n([\s\S]*)$/.exec(
      report.groups[0]?.checks.find(({ name }) => name.endsWith('acting'))?.remedy ?? '',
    ) ?? [];
  const [role, binding] = parseAllDocuments(remedy).map((one) => one.toJS());
  const { seed } = world.cluster;
  seed.role(role.metadata.namespace, role.metadata.name, role.rules);
  seed.roleBinding(binding.metadata.namespace, binding.metadata.name, {
    role: binding.roleRef,
    subjects: binding.subjects,
  });
  expect(troubles((await world.doctor(look)).report)).toEqual([]);
});
