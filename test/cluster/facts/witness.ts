// Notes which facts were seen to hold, and when, so that no line of the document goes untested.
import { expect } from 'vitest';
import { FACTS, type Fact, type FactId } from './facts.ts';

const seen = new Map<FactId, string>();

/** The fact held; `ms`: the time that it took, held to the bounds of the document. */
export function holds(id: FactId, ms?: number, remark = ''): void {
  const { after }: Fact = FACTS[id];
  const said = [ms === undefined ? '' : `after ${ms} ms`, remark].filter(Boolean).join('; ');
  console.log(`${id}: ${said || 'seen'}`);
  if (after !== undefined) {
    expect(ms, id).toBeGreaterThanOrEqual(after.atLeast ?? 0);
    expect(ms, id).toBeLessThan(after.under ?? Number.POSITIVE_INFINITY);
  }
  seen.set(id, said);
}

export const unseen = (): string[] => Object.keys(FACTS).filter((id) => !seen.has(id as FactId));
