// Machines whose clocks differ, or step back: what is owed now is done now, and no log goes back in time.
import { afterEach, expect, it } from 'vitest';
import { sweep } from '../../../src/engine/door/sweep.ts';
import { doWork } from '../../../src/engine/door/work.ts';
import { openSession, owed } from '../../../src/engine/ground/session.ts';
import type { Work } from '../../../src/ports/queue.ts';
import { type Harness, seedLegacy, startHarness } from '../harness.ts';

let harness: Harness;
afterEach(() => harness?.close());

/** A worker whose clock is so far behind that of the bot. */
const behind = (ms: number) => ({ ...harness.deps, clock: { now: () => harness.now() - ms } });

const SKEWS = [1, 5, 50, 5000, 300_000, 86_400_000];

it.each(SKEWS)('a worker that is %i ms behind kills at once', async (skew) => {
  harness = await startHarness();
  const { incidentId: id } = await harness.leak(await seedLegacy(harness.cluster()));
  await doWork(behind(skew), { kind: 'investigate', incidentId: id });
  expect(harness.incident(id).runs[0]?.steps[0]?.outcome?.verdict).toBe('done');
});

it.each(SKEWS)('what is approved is run at once by a worker that is %i ms behind', async (skew) => {
  harness = await startHarness({ settings: { autoContain: 'off' } });
  const { incidentId: id } = await harness.leak(await seedLegacy(harness.cluster()));
  await harness.run(id);
  await harness.click(id, 'approve', 'UINES');
  await doWork(behind(skew), { kind: 'run', incidentId: id });
  expect(
    harness
      .incident(id)
      .runs.at(-1)
      ?.steps.every(({ outcome }) => outcome),
  ).toBe(true);
});

it('the log never goes back in time, whoever writes, and the proof is not older than the kill', async () => {
  harness = await startHarness();
  const { incidentId: id } = await harness.leak(await seedLegacy(harness.cluster()));
  for (const [i, kind] of (['investigate', 'prove'] as const).entries()) {
    await doWork(behind(i * 60_000 + 30_000), { kind, incidentId: id });
    await harness.front.askForCard(id, {
      id: 'UMAYA',
      teamId: 'T1',
      guest: false,
      bot: false,
      deactivated: false,
    });
  }
  const times = harness.memory.events(id).map(({ at }) => at);
  expect(times).toEqual(times.toSorted());
  const { killedAt = '', rounds = [] } = harness.incident(id).proof ?? {};
  expect(rounds.map(({ at }) => at >= killedAt)).toEqual([true]);
});

it('a clock that steps back between an approval and its run postpones nothing', async () => {
  harness = await startHarness({ settings: { autoContain: 'off' } });
  const { incidentId: id } = await harness.leak(await seedLegacy(harness.cluster()));
  await harness.run(id);
  harness.advance(10_000);
  await harness.click(id, 'approve', 'UINES');
  harness.advance(-3_600_000);
  await doWork(harness.deps, { kind: 'run', incidentId: id });
  expect(
    harness
      .incident(id)
      .runs.at(-1)
      ?.steps.every(({ outcome }) => outcome),
  ).toBe(true);
});

it('the sweep of a process that is behind finds what is owed now, and says that it is late', async () => {
  harness = await startHarness();
  const { incidentId: id } = await harness.leak(await seedLegacy(harness.cluster()));
  const added: (Work & { late: boolean })[] = [];
  const queue = {
    add: async (work: Work[], late?: 'late') =>
      void added.push(...work.map((one) => ({ ...one, late: late === 'late' }))),
  };
  await sweep({ ...behind(300_000), queue });
  expect(added).toMatchObject([{ kind: 'investigate', incidentId: id, late: true }]);
});

it('what comes a moment early by the clock of another machine is done, and not left to the sweeper', async () => {
  harness = await startHarness();
  const { incidentId: id } = await harness.leak(await seedLegacy(harness.cluster()));
  await doWork(harness.deps, { kind: 'investigate', incidentId: id });
  await doWork(harness.deps, { kind: 'prove', incidentId: id });
  harness.advance(15_000);
  await doWork(behind(20), { kind: 'prove', incidentId: id });
  expect(harness.incident(id).proof?.outcome?.verdict).toBe('done');
});

it('waits its time out all the same', async () => {
  harness = await startHarness();
  const { incidentId: id } = await harness.leak(await seedLegacy(harness.cluster()));
  await doWork(harness.deps, { kind: 'investigate', incidentId: id });
  await doWork(harness.deps, { kind: 'prove', incidentId: id });
  const session = await openSession(harness.deps, id);
  if (session === undefined) throw new Error('no incident');
  const [next] = owed(harness.deps, session).filter(({ kind }) => kind === 'prove');
  expect(next?.at).toBeGreaterThan(harness.now());
  await doWork(behind(5), { kind: 'prove', incidentId: id });
  expect(harness.incident(id).proof?.rounds).toHaveLength(1);
});
