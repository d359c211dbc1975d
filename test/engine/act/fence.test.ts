// Whatever an action writes with, it asks first whether the step is still its own.
import { afterEach, expect, it } from 'vitest';
import { fenced } from '../../../src/engine/act/fence.ts';
import { type Harness, startHarness } from '../harness.ts';

let h: Harness;
afterEach(() => h.close());

/** Everything else that a cluster can do is a write. A dry run is kept by nobody. */
const READS = [
  'signed',
  'get',
  'list',
  'searchSecrets',
  'servers',
  'probe',
  'review',
  'control',
  'self',
  'may',
  'shows',
];
const DRY_RUNS = ['tryCreate', 'tryPatch'];
const OWN = ['warm', 'ping', 'close'];

it('every write of the port asks, and none is sent where the answer is no', async () => {
  h = await startHarness();
  const [cluster] = h.connected;
  if (!cluster) throw new Error('no cluster');
  const behind = fenced(cluster, () => Promise.reject(new Error('not mine'))) as unknown as Record<
    string,
    (...given: unknown[]) => Promise<unknown>
  >;
  const can = Object.keys(cluster).filter((name) => typeof behind[name] === 'function');
  const writes = can.filter((name) => ![...READS, ...DRY_RUNS, ...OWN].includes(name));
  expect(writes.toSorted()).toEqual(['create', 'evict', 'patch', 'remove']);
  const before = h.cluster().requests.length;
  for (const name of writes)
    await expect(behind[name]?.({ namespace: 'payments', name: 'x' }, {})).rejects.toThrow('not mine');
  expect(h.cluster().requests.length).toBe(before);
});
