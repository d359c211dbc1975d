// Work that may wait: so much at once, the rest in order, and none of it lost when the process stops.
import { expect, it } from 'vitest';
import { doWork } from '../../../src/engine/door/work.ts';
import { createGate } from '../../../src/engine/ground/gate.ts';
import { seedLegacy, startHarness } from '../harness.ts';

function piece() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const work = () => {
    one.begun = true;
    return promise;
  };
  const one = { begun: false, resolve, reject, work };
  return one;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('lets as many in as it is wide, and the next in their order as places are left, also by failures', async () => {
  const gate = createGate(2);
  const pieces = Array.from({ length: 5 }, piece);
  const results = pieces.map(({ work }) => gate(work).catch((error: Error) => error.message));
  const begun = async () => {
    await turn();
    return pieces.map((one) => one.begun);
  };
  expect(await begun()).toEqual([true, true, false, false, false]);
  pieces[1]?.reject(new Error('lost'));
  expect(await begun()).toEqual([true, true, true, false, false]);
  pieces[0]?.resolve('first');
  pieces[2]?.resolve('third');
  expect(await begun()).toEqual([true, true, true, true, true]);
  pieces[3]?.resolve('fourth');
  pieces[4]?.resolve('fifth');
  expect(await Promise.all(results)).toEqual(['first', 'lost', 'third', 'fourth', 'fifth']);
});

it('a process that is told to stop after the kill still makes the plan of what it has begun', async () => {
  const harness = await startHarness();
  try {
    const token = await seedLegacy(harness.cluster());
    const { incidentId } = await harness.leak(token);
    const [first] = await harness.pending(incidentId);
    const working = doWork(harness.deps, first ?? expect.unreachable('nothing is owed'));
    harness.stop();
    await working;
    const { runs, plan } = harness.incident(incidentId);
    expect(runs[0]?.steps[0]?.outcome?.verdict).toBe('done');
    expect(plan?.steps.length).toBeGreaterThan(0);
  } finally {
    await harness.close();
  }
});
