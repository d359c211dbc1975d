// Whatever single request between the worker and a real API server fails, the job ends in proof, and nothing is done twice.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Fate, type FaultProxy, type Passing, startFaultProxy } from '../../sandbox/fault-proxy.ts';
import { type RealWorldCluster, realCluster, USERNAME } from '../../sandbox/real-world.ts';
import { WORKER } from '../../sandbox/world.ts';
import type { Incident } from '../../src/domain/incident/incident.ts';
import { type EngineRoom, openEngineRoom, summary } from './engine-room.ts';
import { type KubeObject, until } from './leak.ts';
import { KINDS, type Kind, leak, openSpace, type Space } from './leaks.ts';
import { answersTo } from './real-stage.ts';

let cluster: RealWorldCluster;
let proxy: FaultProxy;
let kubeconfig: string;

beforeAll(async () => {
  // ECDSA, so that a token that is made again in the same place is another one.
  cluster = await realCluster('prod', { signing: 'ES256' })();
  const [server] = cluster.servers;
  const target = server?.url ?? '';
  proxy = await startFaultProxy({ target, caPem: cluster.caPem });
  const encoded = (pem: string): string => Buffer.from(pem).toString('base64');
  kubeconfig = (await cluster.kubeconfig(WORKER))
    .replace(target, proxy.url)
    .replace(encoded(cluster.caPem), encoded(proxy.caPem));
});
afterAll(async () => {
  await proxy?.close();
  await cluster?.close();
});

const isProbe = ({ path }: Passing): boolean => path.includes('selfsubjectreviews');
const isWrite = (passing: Passing): boolean => passing.method !== 'GET' && !isProbe(passing);

/** Fails the k-th of the requests that match. */
function nth(k: number, matches: (passing: Passing) => boolean, fate: Fate): (passing: Passing) => Fate {
  let seen = 0;
  return (passing) => {
    if (matches(passing)) seen += 1;
    return matches(passing) && seen === k ? fate : 'pass';
  };
}

/** The worker's writes that an API server carried out in this namespace, from the audit log on. */
async function writes(namespace: string): Promise<string[]> {
  const events = await cluster.plane.auditLog();
  return events.flatMap(({ user, verb, objectRef, responseStatus }) =>
    user.username === USERNAME &&
    objectRef?.namespace === namespace &&
    ['create', 'delete'].includes(verb) &&
    (responseStatus?.code ?? 500) < 300
      ? [`${verb} ${objectRef.resource}`]
      : [],
  );
}

/** What went wrong with one job, as sentences. */
async function job(
  room: EngineRoom,
  space: Space,
  kind: Kind,
  fate: (passing: Passing) => Fate,
): Promise<string[]> {
  proxy.decide(() => 'pass');
  await room.connect(kubeconfig);
  await clean(space, kind);
  const token = await leak(space, kind);
  const before = (await writes(space.namespace)).length;
  proxy.decide(fate);
  const problems: string[] = [];
  const { incidentId: id } = await room.leak(token);
  const settled = ({ status }: Incident): boolean =>
    ['awaiting-approval', 'needs-human', 'resolved'].includes(status);
  await room.until(id, settled);
  if (room.incident(id).status === 'needs-human') {
    if (!saysWhy(room.incident(id))) problems.push('a person is needed, and nothing says why');
    await room.leak(token);
    await room.until(id, settled);
  }
  if (room.incident(id).status !== 'awaiting-approval')
    return [...problems, `no plan to approve: ${JSON.stringify(summary(room, id))}`];
  await room.click(id, 'approve', 'UINES');
  await room.until(id, ({ status }) => status === 'resolved');
  expect(room.incident(id).proof?.outcome?.verdict).toBe('done');
  const answers = await answersTo(cluster, token);
  if (answers.some((status) => status !== 401)) problems.push(`proven dead, but a server answers ${answers}`);
  const done = (await writes(space.namespace)).slice(before);
  if (done.length === 0) problems.push('resolved, and yet nothing was deleted');
  const twice = done.filter((line, index) => done.indexOf(line) !== index);
  if (twice.length > 0) problems.push(`done twice: ${twice.join(', ')}`);
  return problems;
}

const saysWhy = ({ plan, unidentified, situations }: Incident): boolean =>
  unidentified !== undefined ||
  (plan?.notes.length ?? 0) > 0 ||
  situations.some(({ unread }) => unread.length > 0);

/** The next leak takes the same names. */
async function clean(space: Space, kind: Kind): Promise<void> {
  const left =
    kind === 'pod-bound' ? ['pods', 'job'] : ['secrets', kind === 'legacy' ? 'checkout-token' : 'anchor'];
  const path = space.at(left[0] ?? '', left[1]);
  const { status } = await cluster.plane.call<KubeObject>('DELETE', path);
  if (status < 300) await until(async () => !(await space.exists(path)));
}

describe('one failing request', () => {
  test.each(KINDS)('of the job of a %s token', { timeout: 500_000 }, async (kind) => {
    const room = await openEngineRoom({ kubeconfig, config: { apiServers: [{ url: proxy.url }] } });
    const space = await openSpace(cluster.plane);
    try {
      expect(await job(room, space, kind, () => 'pass')).toEqual([]);
      const all = proxy.passed.length;
      const written = proxy.passed.filter(isWrite).length;
      expect(written).toBeGreaterThan(0);
      const problems: string[] = [];
      const run = async (what: string, fate: (passing: Passing) => Fate): Promise<void> => {
        const found = await job(room, space, kind, fate).catch((error: unknown) => [String(error)]);
        problems.push(...found.map((problem) => `${what} (${struck(proxy.passed, what)}): ${problem}`));
      };
      for (let k = 1; k <= all; k++)
        await run(
          `request ${k} cut`,
          nth(k, () => true, 'cut'),
        );
      for (let k = 1; k <= all; k += 3)
        await run(
          `request ${k} 503`,
          nth(k, () => true, 503),
        );
      for (let k = 1; k <= written; k++) await run(`write ${k} lost`, nth(k, isWrite, 'lose'));
      console.log(`${kind}: ${all} requests, ${written} of them writes`);
      expect(problems).toEqual([]);
    } finally {
      await room.close();
    }
  });
});

/** Which request it was. */
function struck(passed: readonly Passing[], what: string): string {
  const k = Number(/\d+/.exec(what)?.[0]);
  const found = (what.startsWith('write') ? passed.filter(isWrite) : passed)[k - 1];
  return found ? `${found.method} ${found.path.split('?')[0]}` : 'never came';
}
