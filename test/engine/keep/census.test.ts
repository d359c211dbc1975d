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
  expect(await take()).toEqual({ byStatus: {}, approvals: [], proofs: [], reviews: 0, damaged: 0 });
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
    reviews: 1,
    damaged: 0,
  });
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
  expect(await take()).toEqual({ byStatus: {}, approvals: [], proofs: [], reviews: 0, damaged: 1 });
});
