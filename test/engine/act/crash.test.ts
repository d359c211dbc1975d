// A process may die at any moment: before or after any write to the log or to a cluster. Taken up again, every effect happens once.
import { describe, expect, it } from 'vitest';
import { type Harness, seedLegacy, startHarness, statusWith } from '../harness.ts';
import { dyingLog, ignoreCrash, survive } from './crash.ts';

const deletes = (h: Harness) =>
  h.cluster().requests.filter(({ method, status }) => method === 'DELETE' && status < 400);
const labelled = (h: Harness) =>
  h.cluster().requests.filter(({ method, status }) => method === 'PATCH' && status < 400);

async function story(h: Harness): Promise<string> {
  const token = await seedLegacy(h.cluster());
  const { incidentId: id } = await h.leak(token);
  await survive(h, id, 20_000);
  if (h.incident(id).status === 'awaiting-approval') await h.click(id, 'approve', 'UINES').catch(ignoreCrash);
  await survive(h, id, 20_000);
  const [cluster] = h.connected;
  expect(cluster && (await statusWith(cluster, token))).toBe('refused');
  return id;
}

async function appendsOfStory(): Promise<number> {
  const h = await startHarness();
  const counted = dyingLog(h.deps.log, Number.MAX_SAFE_INTEGER, 'before');
  h.deps.log = counted;
  await story(h);
  await h.close();
  return Number.MAX_SAFE_INTEGER - counted.left();
}

const total = await appendsOfStory();

describe('a crash', () => {
  it.each(
    Array.from({ length: total - 1 }, (_, i) => i + 2).flatMap((k) => [
      [k, 'before'] as const,
      [k, 'after'] as const,
    ]),
  )('at append %i, %s it is written, loses and repeats nothing', async (k, when) => {
    const h = await startHarness();
    const clean = h.deps.log;
    h.deps.log = dyingLog(clean, k, when);
    const id = await story(h);
    // The click itself may have been the append that died before it was written: then the person clicks again.
    if (h.incident(id).status === 'awaiting-approval') {
      await h.click(id, 'approve', 'UINES');
      await h.run(id, 20_000);
    }
    expect(h.incident(id).status).toBe('resolved');
    expect(deletes(h)).toHaveLength(1);
    expect(h.memory.events(id).filter(({ type }) => type === 'closed')).toHaveLength(1);
    await h.close();
  });
});

describe('an API server', () => {
  it('that carries the kill out and loses the answer is asked again, and nothing is done twice', async () => {
    const h = await startHarness();
    const token = await seedLegacy(h.cluster());
    await Promise.all(h.connected.map((c) => c.warm()));
    h.cluster().faults.resetAfterAccept(({ method }) => method === 'PATCH');
    const { incidentId: id } = await h.leak(token);
    await h.run(id, 30_000);
    expect(h.incident(id).proof?.outcome?.verdict).toBe('done');
    expect(labelled(h).length).toBeLessThanOrEqual(2);
    h.cluster().faults.resetAfterAccept(({ method }) => method === 'DELETE');
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 30_000);
    expect(h.incident(id).status).toBe('resolved');
    await h.close();
  });

  it('that is down is told on the incident, tried again, and the leak is contained when it is back', async () => {
    const h = await startHarness();
    const token = await seedLegacy(h.cluster());
    await Promise.all(h.connected.map((c) => c.warm()));
    const [server] = h.cluster().servers;
    await server?.stop();
    const { incidentId: id } = await h.leak(token);
    await h.run(id, 10_000);
    expect(h.incident(id).status).not.toBe('needs-human');
    expect(
      Object.values(h.incident(id).troubles)
        .map(({ message }) => message)
        .join(),
    ).toContain('prod');
    await server?.start();
    await h.run(id, 180_000);
    expect(h.incident(id)).toMatchObject({
      status: 'awaiting-approval',
      troubles: {},
      proof: { outcome: { verdict: 'done' } },
    });
    await h.close();
  });

  it.each([
    ['legacy', 'secrets', 'delete-token-secret'],
    ['Pod-bound', 'pods/api-0', 'delete-bound-pod'],
  ])(
    'that fails one read while a %s token is looked at does not leave a plan without its kill',
    async (kind, read, action) => {
      const h = await startHarness();
      const legacy = await seedLegacy(h.cluster());
      const { metadata } = h.cluster().seed.pod('payments', 'api-0', { serviceAccount: 'api' });
      const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'api-0', uid: metadata.uid };
      const bound = h.cluster().seed.requestToken('payments', 'api', { boundObjectRef });
      h.cluster().faults.failNext(
        1,
        500,
        ({ method, path }) => method === 'GET' && path.split('?')[0]?.endsWith(`/${read}`) === true,
      );
      const { incidentId: id } = await h.leak(kind === 'legacy' ? legacy : bound);
      await h.run(id, 60_000);
      expect(h.incident(id).plan?.steps.map((step) => step.action)).toContain(action);
      expect(h.incident(id).status).toBe('awaiting-approval');
      await h.close();
    },
  );

  it('that refuses every ServiceAccount token proves nothing', async () => {
    const h = await startHarness();
    const token = await seedLegacy(h.cluster());
    const { incidentId: id } = await h.leak(token);
    await h.run(id, 1);
    h.cluster().faults.failNext(1000, 401, ({ path }) => path.includes('selfsubjectreviews'));
    await h.run(id, 60_000);
    expect(h.incident(id).proof?.outcome).toBeUndefined();
    expect(h.incident(id).proof?.rounds.at(-1)?.outcome).toMatchObject({
      verdict: 'unknown',
      detail: expect.stringContaining('outage'),
    });
    h.cluster().faults.clear();
    await h.run(id, 60_000);
    expect(h.incident(id).proof?.outcome?.verdict).toBe('done');
    await h.close();
  });
});
