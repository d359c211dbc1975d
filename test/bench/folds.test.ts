// Counts and no times: how much of the log is folded on the way from an alert to its proof, however slow the machine.
import { expect, it } from 'vitest';
import { countFolds } from '../../bench/folds.ts';

/** As it was counted when every append and every milestone folded the whole log: 54 folds, or 342 events, for 7 appends. */
const BEFORE = { folds: 54 / 7, events: 342 / 7 };

it('folds and events for one append are at most half of what they were', { timeout: 90_000 }, async () => {
  const { appends, folds, steps, events } = await countFolds();
  expect(appends).toBeGreaterThanOrEqual(6);
  // Or nothing was counted: whoever appends to an incident takes it further.
  expect(folds).toBeGreaterThan(0);
  expect(steps).toBeGreaterThanOrEqual(appends - 1);
  expect(folds / appends).toBeLessThanOrEqual(BEFORE.folds / 2);
  expect(events / appends).toBeLessThanOrEqual(BEFORE.events / 2);
});
