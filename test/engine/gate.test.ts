// Work that may wait: so much at once, the rest in order, and none of it begun once the process stops.
import { expect, it } from 'vitest';
import { createGate } from '../../src/engine/gate.ts';

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
  const gate = createGate(2, new AbortController().signal);
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

it('begins nothing after the stop, and says so', async () => {
  const stopping = new AbortController();
  const gate = createGate(1, stopping.signal);
  const [running, waiting] = [piece(), piece()];
  const first = gate(running.work);
  const second = gate(waiting.work);
  await turn();
  stopping.abort();
  const said = expect(second).rejects.toMatchObject({ code: 'interrupted' });
  running.resolve('finished');
  expect(await first).toBe('finished');
  await said;
  expect(waiting.begun).toBe(false);
});
