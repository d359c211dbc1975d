// The gap in which a workload serves nobody is what a roll-out must not have, so counting it must not miss one.
import { expect, it } from 'vitest';
import { createReadiness } from '../../bench/readiness.ts';

const pod = (uid: string, ready: boolean, rest: { app?: string; deletionTimestamp?: string } = {}) => {
  const { app = 'web', deletionTimestamp } = rest;
  return {
    metadata: {
      name: uid,
      namespace: 'a',
      uid,
      labels: { app },
      ...(deletionTimestamp ? { deletionTimestamp } : {}),
    },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
};
const MODIFIED = 'MODIFIED';

it('counts from the last Ready Pod to the next, and nothing while one is left', () => {
  const seen = createReadiness();
  seen.see({ type: 'ADDED', object: pod('1', false) }, 0);
  seen.see({ type: MODIFIED, object: pod('1', true) }, 1000);
  seen.see({ type: MODIFIED, object: pod('2', true) }, 2000);
  seen.see({ type: 'DELETED', object: pod('1', true) }, 3000);
  expect(seen.longestGap('a', 9000)).toEqual({ ms: 0, workload: '' });
  seen.see({ type: MODIFIED, object: pod('2', false) }, 10_000);
  seen.see({ type: MODIFIED, object: pod('3', true) }, 10_400);
  expect(seen.longestGap('a', 20_000)).toEqual({ ms: 400, workload: 'a/web' });
  expect(seen.withReady('a', 1)).toBe(1);
});

it('takes a terminating Pod for gone, and a gap that has not ended for one', () => {
  const seen = createReadiness();
  seen.see({ type: MODIFIED, object: pod('1', true) }, 0);
  seen.see({ type: MODIFIED, object: pod('9', true, { app: 'other' }) }, 0);
  seen.see({ type: MODIFIED, object: pod('1', true, { deletionTimestamp: 'now' }) }, 1000);
  expect(seen.longestGap('a', 3500)).toEqual({ ms: 2500, workload: 'a/web' });
  expect(seen.longestGap('b', 3500).ms).toBe(0);
});
