// What the worker answers when the form of a rotation asks which ways fit.
import { afterEach, expect, it } from 'vitest';
import { answer } from '../../../src/engine/door/answer.ts';
import { type Harness, seedLegacy, startHarness } from '../harness.ts';

let harness: Harness | undefined;
afterEach(() => harness?.close());

it('names what fits this ServiceAccount now, best first, and what is near where it is not there', async () => {
  harness = await startHarness();
  const { seed } = harness.cluster();
  await seedLegacy(harness.cluster());
  seed.serviceAccount('payments', 'plain');
  const { clusters } = harness.deps;
  const ask = (name: string) =>
    answer(clusters, { ask: 'ways-to-rotate', cluster: 'prod', namespace: 'payments', name });
  const legacy = await ask('api');
  expect(legacy).toMatchObject({ problems: [] });
  expect(legacy.found[0]).toBe('new-service-account');
  expect(legacy.found).toContain('new-secret');
  // One without a long-lived token has none to replace.
  expect((await ask('plain')).found).toEqual(['new-service-account', 'recreate']);
  expect(await ask('plane')).toMatchObject({ found: [], near: ['prod/payments/plain'] });
  expect(
    (await answer(clusters, { ask: 'ways-to-rotate', cluster: 'eu', namespace: 'a', name: 'b' })).problems,
  ).toEqual(['There is no cluster named eu.']);
});
