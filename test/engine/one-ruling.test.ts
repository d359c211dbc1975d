// An accepted click asks the policy once: what one answer depends on, every other answer to the same press depends on.
import { afterEach, expect, it } from 'vitest';
import type { Policy } from '../../src/domain/rules/policy.ts';
import { aPolicy } from '../builders.ts';
import { type Harness, PEOPLE, startHarness } from './harness.ts';

let h: Harness | undefined;
afterEach(() => h?.close());

/** Each evaluation of one step reads the rules once. */
function watched(policy: Policy) {
  const { rules } = policy;
  let reads = 0;
  const get = () => {
    reads += 1;
    return rules;
  };
  return { policy: Object.defineProperty({ ...policy }, 'rules', { get }), reads: () => reads };
}

it.each([
  ['contain', 'UMAYA'],
  ['approve', 'UINES'],
] as const)('%s', async (verb, by) => {
  const roster = watched(aPolicy({}, { people: PEOPLE, autoContain: 'off' }));
  h = await startHarness({ roster, settings: { autoContain: 'off' } });
  const { seed } = h.cluster();
  seed.namespace('payments');
  seed.serviceAccount('payments', 'api');
  const token = await seed.tokenSecret('payments', 'api-token', 'api');
  const { incidentId: id } = await h.leak(token);
  await h.run(id);
  const steps = h.incident(id).plan?.steps.filter(({ phase }) => verb === 'approve' || phase === 'contain');
  expect(steps?.length).toBeGreaterThan(0);
  const before = roster.reads();
  expect(await h.click(id, verb, by)).toMatchObject({ decided: true });
  expect(roster.reads() - before).toBe(steps?.length);
});
