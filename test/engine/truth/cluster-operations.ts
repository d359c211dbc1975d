// What somebody else does to a cluster: objects go, come back and change, keys rotate, servers stop, requests fail.
import fc from 'fast-check';
import { ApiError, type SimulatedCluster } from 'kube-sandbox';
import { ACCOUNTS, CLUSTERS, type ClusterName, NAMESPACE, ownerOf, POD, SECRETS } from './stage.ts';
import type { World } from './world.ts';

const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';
const OWNER = 'kubernetes.io/service-account.name';
const at = (plural: string, name = ''): string => `/api/v1/namespaces/${NAMESPACE}/${plural}/${name}`;

const on = fc.constantFrom(...CLUSTERS);
const secret = fc.constantFrom(...SECRETS);
const account = fc.constantFrom(...ACCOUNTS);

export const REQUESTS = ['writes', 'reads', 'probes'] as const;
export type RequestMatcher = (request: { method: string; path: string }) => boolean;

export function requests(which: (typeof REQUESTS)[number]): RequestMatcher {
  const isProbe = (path: string): boolean => /selfsubjectreviews|tokenreviews/.test(path);
  if (which === 'probes') return ({ path }) => isProbe(path);
  return ({ method, path }) => !isProbe(path) && (method === 'GET') === (which === 'reads');
}

/** One kind of operation, with what is drawn for it. */
export const kind = <const K extends string, T extends object>(
  name: K,
  rest: { [P in keyof T]: fc.Arbitrary<T[P]> },
): fc.Arbitrary<{ do: K } & T> =>
  fc.record({ do: fc.constant(name), ...rest } as never) as unknown as fc.Arbitrary<{ do: K } & T>;
const one = <const K extends string, T extends object>(
  name: K,
  rest: { [P in keyof T]: fc.Arbitrary<T[P]> },
): fc.Arbitrary<{ do: K; on: ClusterName } & T> =>
  fc.record({ do: fc.constant(name), on, ...rest } as never) as never;

export const clusterOperation = fc.oneof(
  { weight: 4, arbitrary: one('unlabel', { secret }) },
  { weight: 1, arbitrary: one('label', { secret }) },
  { weight: 2, arbitrary: one('drop-secret', { secret }) },
  { weight: 2, arbitrary: one('create-secret', { secret, value: fc.constantFrom('made', 'same', 'other') }) },
  { weight: 1, arbitrary: one('drop-account', { account, held: fc.boolean() }) },
  { weight: 1, arbitrary: one('release-account', { account }) },
  { weight: 1, arbitrary: one('create-account', { account }) },
  {
    weight: 2,
    arbitrary: one('restore', { what: fc.constantFrom('account', 'secret', 'both'), account, secret }),
  },
  { weight: 1, arbitrary: one('drop-pod', { held: fc.boolean() }) },
  { weight: 2, arbitrary: one('stop', { server: fc.nat(1) }) },
  { weight: 1, arbitrary: one('start', {}) },
  { weight: 1, arbitrary: one('rotate', { hard: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: one('fail', {
      status: fc.constantFrom(403, 422, 429, 500, 503, 'cut' as const),
      which: fc.constantFrom(...REQUESTS),
      times: fc.integer({ min: 1, max: 4 }),
    }),
  },
);

export type Draws<A> = A extends fc.Arbitrary<infer T> ? T : never;
export type ClusterOperation = Draws<typeof clusterOperation>;

export async function changeCluster(world: World, operation: ClusterOperation): Promise<void> {
  const cluster = world.stage.clusters.get(operation.on);
  if (cluster === undefined) return;
  try {
    await changes[operation.do](cluster, operation as never, world);
  } catch (error) {
    // What is not there cannot be deleted, and so on.
    if (!(error instanceof ApiError)) throw error;
  }
  // The controllers look right after it.
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}

type Changes = {
  [K in ClusterOperation['do']]: (
    cluster: SimulatedCluster,
    operation: Extract<ClusterOperation, { do: K }>,
    world: World,
  ) => unknown;
};

const changes: Changes = {
  unlabel: (cluster, { secret: name }) => relabel(cluster, name, null),
  label: (cluster, { secret: name }) => relabel(cluster, name, '2026-11-24'),
  'drop-secret': ({ administer }, { secret: name }) => administer('DELETE', at('secrets', name)),
  'create-secret': (cluster, { secret: name, value }, { stage }) => {
    const given = { made: undefined, same: stage.tokens[name], other: `other.${name}.value` }[value];
    const annotations = { [OWNER]: ownerOf(name) };
    const data = given && { data: { token: Buffer.from(given).toString('base64') } };
    const type = 'kubernetes.io/service-account-token';
    cluster.administer('POST', at('secrets'), { metadata: { name, annotations }, type, ...data });
  },
  'drop-account': (cluster, { account: name, held }) => {
    if (held) hold(cluster, at('serviceaccounts', name), ['example.com/held']);
    cluster.administer('DELETE', at('serviceaccounts', name));
  },
  'release-account': (cluster, { account: name }) => hold(cluster, at('serviceaccounts', name), null),
  'create-account': ({ administer }, { account: name }) =>
    administer('POST', at('serviceaccounts'), { metadata: { name } }),
  restore: (cluster, { what, account: owner, secret: name }, { stage }) => {
    const wanted = [...(what === 'secret' ? [] : [owner]), ...(what === 'account' ? [] : [name])] as string[];
    const isMeant = ({ kind = '', metadata }: { kind?: string; metadata: { name: string } }) =>
      ['ServiceAccount', 'Secret'].includes(kind) && wanted.includes(metadata.name);
    cluster.restore(stage.backup.filter(isMeant));
  },
  'drop-pod': (cluster, { held }) => {
    if (held) hold(cluster, at('pods', POD), ['example.com/held']);
    cluster.administer('DELETE', at('pods', POD));
  },
  stop: (cluster, { server }) => cluster.servers[server % cluster.servers.length]?.stop(),
  start: (cluster) => Promise.all(cluster.servers.map((server) => server.start())),
  rotate: async (_cluster, { on: name, hard }, world) => {
    world.stage.rotate(name, hard);
    // The old credential is refused too, so the worker gets another, and starts with it.
    if (hard) await world.restartWorkers();
  },
  fail: ({ faults }, { status, which, times }) => {
    const matches = requests(which);
    if (status === 'cut') faults.resetAfterAccept(matches);
    else faults.failNext(times, status, matches);
  },
};

function relabel(cluster: SimulatedCluster, name: string, value: string | null): void {
  const body = { metadata: { labels: { [INVALID_SINCE]: value } } };
  cluster.administer('PATCH', at('secrets', name), body, 'application/merge-patch+json');
}

function hold(cluster: SimulatedCluster, path: string, finalizers: string[] | null): void {
  cluster.administer('PATCH', path, { metadata: { finalizers } }, 'application/merge-patch+json');
}
