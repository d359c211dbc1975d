// What goes wrong around real API servers: they die, hang, lose their storage or refuse us; nothing is claimed that was not seen.
import { type ApiServer, kubeconfig as render } from 'kube-sandbox/controlplane';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { startFaultProxy } from '../../sandbox/fault-proxy.ts';
import { type RealWorldCluster, realCluster, USERNAME } from '../../sandbox/real-world.ts';
import { WORKER } from '../../sandbox/world.ts';
import type { Incident } from '../../src/domain/incident/incident.ts';
import { resources } from '../../src/domain/kubernetes/resources.ts';
import { type EngineRoom, type EngineRoomOptions, openEngineRoom } from './engine-room.ts';
import { leak, openSpace, type Space } from './leaks.ts';
import { answersTo, writesOf } from './real-stage.ts';

let cluster: RealWorldCluster;
let kubeconfig: string;
let room: EngineRoom;

beforeAll(async () => {
  cluster = await realCluster('prod', { servers: 2 })();
  kubeconfig = await cluster.kubeconfig(WORKER);
});
afterAll(() => cluster?.close());
afterEach(() => room?.close());

const open = async (options: Partial<EngineRoomOptions> = {}): Promise<EngineRoom> => {
  const { apiServers } = cluster;
  room = await openEngineRoom({
    kubeconfig,
    ...options,
    config: { ...(apiServers && { apiServers }), ...options.config },
  });
  return room;
};

/** The worker talks to the first; both are probed. */
const server = (index: 0 | 1): ApiServer => {
  const found = cluster.plane.servers[index];
  if (!found) throw new Error(`There is no server ${index}.`);
  return found;
};

/** Process 0 would be every process of this group. */
function signal(index: 0 | 1, name: 'SIGSTOP' | 'SIGCONT'): void {
  const { pid } = server(index);
  if (pid <= 0) throw new Error(`Server ${index} does not run.`);
  process.kill(pid, name);
}

const troubles = ({ troubles: all }: Incident): string =>
  Object.values(all)
    .map(({ message }) => message)
    .join(' ');
const proven = ({ proof }: Incident): boolean => proof?.outcome?.verdict === 'done';
const lastRound = ({ proof }: Incident) => proof?.rounds.at(-1)?.outcome;

async function finish(id: string, space: Space, token: string): Promise<void> {
  await room.until(id, (incident) => incident.status === 'awaiting-approval' && proven(incident));
  await room.click(id, 'approve', 'UINES');
  await room.until(id, ({ status }) => status === 'resolved');
  expect(await answersTo(cluster, token)).toEqual([401, 401]);
  const deleted = (await writesOf(cluster, space.namespace)).filter(
    (line) => line === 'delete secrets checkout-token 200',
  );
  expect(deleted).toHaveLength(1);
}

describe('an API server', () => {
  test('that is dead keeps a proof from being claimed, and completes it when it is back', async () => {
    await open();
    const space = await openSpace(cluster.plane);
    const token = await leak(space, 'legacy');
    const { incidentId: id } = await room.leak(token);
    await server(1).stop();
    try {
      const seen = await room.until(id, ({ proof }) => (proof?.rounds.length ?? 0) >= 3);
      expect(proven(seen)).toBe(false);
      expect(lastRound(seen)).toMatchObject({ verdict: 'unknown' });
      expect(lastRound(seen)?.detail).toContain(`${server(1).url} gave no clear answer`);
    } finally {
      await server(1).start();
    }
    await finish(id, space, token);
  });

  test('that dies before the kill is told as trouble; the kill is made when it is back', async () => {
    await open();
    const space = await openSpace(cluster.plane);
    const token = await leak(space, 'legacy');
    await server(0).stop();
    const { incidentId: id } = await room.leak(token);
    try {
      const seen = await room.until(id, (incident) => (incident.troubles.run?.count ?? 0) >= 2);
      expect(troubles(seen)).toContain('prod');
      expect(seen.proof).toBeUndefined();
      expect(seen.status).not.toBe('needs-human');
    } finally {
      await server(0).start();
    }
    await finish(id, space, token);
  });

  test('that hangs is given up at the deadline, and nothing is claimed; what it did late is found done', async () => {
    await open();
    const space = await openSpace(cluster.plane);
    const token = await leak(space, 'legacy');
    signal(0, 'SIGSTOP');
    let id: string;
    try {
      ({ incidentId: id } = await room.leak(token));
      const seen = await room.until(id, (incident) => (incident.troubles.run?.count ?? 0) >= 1);
      expect(troubles(seen)).toMatch(/no answer in time/);
      expect(troubles(seen)).toContain('It may or may not have been carried out');
      expect(seen.proof).toBeUndefined();
    } finally {
      signal(0, 'SIGCONT');
    }
    await finish(id, space, token);
  });

  test('that hangs when it is probed is no proof', async () => {
    await open();
    const space = await openSpace(cluster.plane);
    const token = await leak(space, 'legacy');
    const { incidentId: id } = await room.leak(token);
    signal(1, 'SIGSTOP');
    try {
      const seen = await room.until(id, ({ proof }) => (proof?.rounds.length ?? 0) >= 1);
      expect(proven(seen)).toBe(false);
      expect(lastRound(seen)?.detail).toContain('no answer in time');
    } finally {
      signal(1, 'SIGCONT');
    }
    await finish(id, space, token);
  });

  test('whose etcd is restarted in the middle of a job', async () => {
    await open();
    const space = await openSpace(cluster.plane);
    const token = await leak(space, 'legacy');
    const [{ incidentId: id }] = await Promise.all([
      room.leak(token).then(async (opened) => {
        await room.until(opened.incidentId, ({ status }) => status === 'awaiting-approval');
        return opened;
      }),
      // A copy is made of a stopped etcd.
      cluster.plane.snapshot(),
    ]);
    await finish(id, space, token);
  });
});

/** A queue of the worker's own that nobody serves and that holds one request: every other gets 429 with Retry-After. */
async function throttleWorker(): Promise<() => Promise<void>> {
  const api = '/apis/flowcontrol.apiserver.k8s.io/v1';
  const queuing = { queues: 1, handSize: 1, queueLengthLimit: 1 };
  const limitResponse = { type: 'Queue', queuing };
  const level = {
    metadata: { name: 'nothing' },
    spec: {
      type: 'Limited',
      limited: { nominalConcurrencyShares: 0, borrowingLimitPercent: 0, limitResponse },
    },
  };
  const everything = {
    verbs: ['*'],
    apiGroups: ['*'],
    resources: ['*'],
    namespaces: ['*'],
    clusterScope: true,
  };
  const flow = {
    metadata: { name: 'worker' },
    spec: {
      priorityLevelConfiguration: { name: 'nothing' },
      matchingPrecedence: 2,
      rules: [{ subjects: [{ kind: 'User', user: { name: USERNAME } }], resourceRules: [everything] }],
    },
  };
  const parts = [
    ['prioritylevelconfigurations', level],
    ['flowschemas', flow],
  ] as const;
  for (const [kind, body] of parts)
    expect(await cluster.plane.call('POST', `${api}/${kind}`, { body })).toMatchObject({ status: 201 });
  return async () => {
    for (const [kind, { metadata }] of parts.toReversed())
      await cluster.plane.call('DELETE', `${api}/${kind}/${metadata.name}`);
  };
}

test('a worker that is told to come back later by priority and fairness comes back, and finishes', async () => {
  await open();
  const space = await openSpace(cluster.plane);
  const token = await leak(space, 'legacy');
  const asked = () => room.prod.get({ resource: resources.namespaces, name: space.namespace });
  let crowded = true;
  const crowd = async () => {
    while (crowded) await asked().catch(() => undefined);
  };
  const release = await throttleWorker();
  const crowding = [crowd(), crowd()];
  let id: string;
  try {
    await expect.poll(() => asked().catch(({ code }) => code), { timeout: 20_000 }).toBe('throttled');
    ({ incidentId: id } = await room.leak(token));
    const seen = await room.until(id, ({ troubles: { run } }) => run?.retryAfterMs !== undefined);
    expect(troubles(seen)).toMatch(/429.* The API server is busy/);
    expect(seen.troubles.run?.retryAfterMs).toBe(1000);
    expect(seen.proof).toBeUndefined();
  } finally {
    crowded = false;
    await release();
    await Promise.all(crowding);
  }
  await finish(id, space, token);
});

describe("the worker's own credential", () => {
  test('that is no longer accepted is said so, and a new kubeconfig finishes the job', async () => {
    const space = await openSpace(cluster.plane);
    const own = `/api/v1/namespaces/${WORKER.namespace}`;
    const anchor = await cluster.plane.call<{ metadata: { uid: string } }>('POST', `${own}/secrets`, {
      body: { metadata: { name: 'worker-anchor' } },
    });
    const boundObjectRef = {
      apiVersion: 'v1',
      kind: 'Secret',
      name: 'worker-anchor',
      uid: anchor.body.metadata.uid,
    };
    const short = await cluster.plane.call<{ status: { token: string } }>(
      'POST',
      `${own}/serviceaccounts/${WORKER.serviceAccount}/token`,
      { body: { spec: { boundObjectRef } } },
    );
    await open({
      kubeconfig: render('prod', server(0).url, cluster.caPem, { token: short.body.status.token }),
    });
    await cluster.plane.call('DELETE', `${own}/secrets/worker-anchor`);
    await expect
      .poll(() => answersTo(cluster, short.body.status.token), { timeout: 20_000 })
      .toEqual([401, 401]);
    const token = await leak(space, 'legacy');
    const { incidentId: id } = await room.leak(token);
    const stuck = await room.until(id, (incident) => troubles(incident) !== '');
    expect(troubles(stuck)).toContain("The worker's own credential is not accepted: renew it");
    expect(stuck.proof).toBeUndefined();
    expect(await answersTo(cluster, token)).toEqual([201, 201]);

    // As a worker does that was restarted with it: nobody reports the leak again.
    await room.connect(kubeconfig);
    await room.until(id, ({ status }) => status === 'awaiting-approval');
    await room.click(id, 'approve', 'UINES');
    await room.until(id, ({ status }) => status === 'resolved');
    expect(await answersTo(cluster, token)).toEqual([401, 401]);
  });
});

describe('a proxy that refuses every ServiceAccount token', () => {
  test.each([
    ['with a control ServiceAccount', true],
    ['with no token to compare with', false],
  ])('while it lets our certificate pass: no proof comes of it (%s)', async (_what, controlled) => {
    const { users } = parse(cluster.plane.adminKubeconfig) as {
      users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[];
    };
    const pem = (text = ''): string => Buffer.from(text, 'base64').toString();
    const user = users[0]?.user;
    const identity = {
      certPem: pem(user?.['client-certificate-data']),
      keyPem: pem(user?.['client-key-data']),
    };
    const proxy = await startFaultProxy({ target: server(0).url, caPem: cluster.caPem, identity });
    try {
      proxy.decide(({ bearer }) => (bearer ? 401 : 'pass'));
      const space = await openSpace(cluster.plane);
      const token = await leak(space, 'legacy');
      const control = { control: { namespace: space.namespace, serviceAccount: 'default' } };
      await open({
        kubeconfig: render('prod', proxy.url, proxy.caPem, proxy.client),
        config: { apiServers: [{ url: proxy.url }], ...(controlled && control) },
        settings: { autoContain: 'token-in-hand' },
      });
      const { incidentId: id } = await room.leak(token);
      const seen = await room.until(id, ({ proof }) => (proof?.rounds.length ?? 0) >= 4);
      expect(proxy.passed.some(({ certified, method }) => certified && method === 'PATCH')).toBe(true);
      expect(proven(seen)).toBe(false);
      for (const { outcome, answers } of seen.proof?.rounds ?? []) {
        expect(answers.map(({ answer }) => answer)).toEqual(['refused']);
        expect(outcome.verdict).toBe('unknown');
      }
      expect(lastRound(seen)?.detail).toMatch(controlled ? /outage or a proxy/ : /no other token/);
    } finally {
      await proxy.close();
    }
  });
});

describe("the worker's clock", () => {
  test.each([
    ['90 s ahead', 90_000],
    ['90 s behind', -90_000],
  ])('%s: legacy and fresh tokens are killed and proven all the same', async (_what, skewMs) => {
    await open({ skewMs });
    for (const kind of ['legacy', 'unbound'] as const) {
      const space = await openSpace(cluster.plane);
      const token = await leak(space, kind);
      const { incidentId: id } = await room.leak(token);
      await room.until(id, ({ status }) => status === 'awaiting-approval');
      await room.click(id, 'approve', 'UINES');
      await room.until(id, ({ status }) => status === 'resolved');
      expect(await answersTo(cluster, token)).toEqual([401, 401]);
    }
  });
});
