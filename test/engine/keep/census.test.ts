// How many incidents wait for what: counted again only where something changed, and a damaged log does not stop the count.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createCensus } from '../../../src/engine/keep/census.ts';
import { AppError } from '../../../src/errors.ts';
import { type Harness, seedLegacy, startHarness } from '../harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness();
});
afterEach(() => harness.close());

it('follows an incident from the alert to its end', async () => {
  const take = createCensus(harness.deps);
  expect(await take()).toEqual({
    byStatus: {},
    approvals: [],
    proofs: [],
    claims: [],
    reviews: 0,
    damaged: 0,
  });
  const token = await seedLegacy(harness.cluster());
  const { incidentId: id } = await harness.leak(token);
  expect(await take()).toMatchObject({ byStatus: { detected: 1 } });
  const killed = harness.now();
  await harness.run(id);
  expect(await take()).toMatchObject({
    byStatus: { 'awaiting-approval': 1 },
    approvals: [killed],
    proofs: [killed],
  });
  await harness.run(id, 20_000);
  expect(await take()).toMatchObject({ approvals: [killed], proofs: [] });
  await harness.click(id, 'break-glass', 'UMAYA', { reason: 'it burns' });
  await harness.run(id, 20_000);
  expect(await take()).toEqual({
    byStatus: { resolved: 1 },
    approvals: [],
    proofs: [],
    claims: [{ since: expect.any(Number), from: expect.any(Number) }],
    reviews: 1,
    damaged: 0,
  });
});

it('knows how old the claim about a closed incident is once its cluster is away', async () => {
  const take = createCensus(harness.deps);
  const { incidentId: id } = await harness.leak(await seedLegacy(harness.cluster()));
  await harness.run(id);
  await harness.click(id, 'approve', 'UINES');
  await harness.run(id, 20_000);
  const [fresh] = (await take()).claims;
  expect(fresh?.from).toBeGreaterThan(harness.now());
  await Promise.all(harness.cluster().servers.map((server) => server.stop()));
  await harness.run(id, 10 * 60_000);
  const { byStatus, claims } = await take();
  expect(byStatus).toEqual({ resolved: 1 });
  // Since then nobody has seen it refused, and from now on everybody who asks is told so.
  expect(claims).toEqual([{ since: fresh?.since, from: 0 }]);
});

it('says no age of what nobody claims anything about', async () => {
  const { incidentId: id } = await harness.leak(await seedLegacy(harness.cluster()));
  await harness.run(id, 20_000);
  await harness.click(id, 'not-a-leak', 'UINES', { reason: 'a test' });
  await harness.run(id, 20_000);
  expect(await createCensus(harness.deps)()).toMatchObject({ byStatus: { 'false-alarm': 1 }, claims: [] });
});

it('reads again only what changed, and one at a time', async () => {
  const loaded: string[] = [];
  const { log } = harness.deps;
  const counted = {
    ...log,
    load: async (id: string) => {
      loaded.push(id);
      return await log.load(id);
    },
  };
  const take = createCensus({ log: counted });
  const ids = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      const at = { namespace: 'payments', serviceAccount: name };
      const alert = { source: 'report', subject: { kind: 'coordinates', at } } as const;
      return (await harness.front.report({ alert })).incidentId;
    }),
  );
  await take();
  expect(loaded.toSorted()).toEqual(ids.toSorted());
  await take();
  expect(loaded).toHaveLength(3);
  await harness.run(ids[1] ?? '');
  expect((await take()).byStatus).toEqual({ detected: 2, 'needs-human': 1 });
  expect(loaded.slice(3)).toEqual([ids[1]]);
});

it('counts a damaged log as that, and goes on', async () => {
  const at = { namespace: 'payments', serviceAccount: 'a' };
  await harness.front.report({ alert: { source: 'report', subject: { kind: 'coordinates', at } } });
  const load = async () => {
    throw new AppError('log-damaged', 'The log is damaged.');
  };
  const take = createCensus({ log: { ...harness.deps.log, load } });
  expect(await take()).toEqual({
    byStatus: {},
    approvals: [],
    proofs: [],
    claims: [],
    reviews: 0,
    damaged: 1,
  });
});
