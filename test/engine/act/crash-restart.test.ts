// A restart in waves whose process is killed at each write to the log: taken up again, each Pod is replaced once.
import { afterEach, describe, expect, it } from 'vitest';
import type { Harness } from '../harness.ts';
import { dyingLog, ignoreCrash, survive } from './crash.ts';
import { begun, type Given, PATH, podsOf, type Seeds, stepOf, uids } from './rolling.ts';

let harness: Harness | undefined;
afterEach(() => harness?.close());

async function appendsOf(story: (h: Harness, id: string) => Promise<void>): Promise<number> {
  const [h, id] = await begun(SMALL, SLOW);
  const counted = dyingLog(h.deps.log, Number.MAX_SAFE_INTEGER, 'before');
  h.deps.log = counted;
  await story(h, id);
  await h.close();
  return Number.MAX_SAFE_INTEGER - counted.left();
}

const SMALL: Seeds = { a: { replicas: 2 }, b: { replicas: 1 }, c: { replicas: 2 } };
const SLOW: Given = { cap: { percent: 1, most: 1 } };

async function restart(h: Harness, id: string): Promise<void> {
  await h.click(id, 'approve', 'UINES').catch(ignoreCrash);
  await survive(h, id, 120_000);
  if (h.incident(id).runs.length > 0) return;
  await h.click(id, 'approve', 'UINES');
  await h.run(id, 120_000);
}

const total = await appendsOf(restart);

describe('a crash in a restart', () => {
  it.each(
    Array.from({ length: total }, (_, i) => i + 1).flatMap((k) => [
      [k, 'before'] as const,
      [k, 'after'] as const,
    ]),
  )('at append %i, %s it is written, replaces each Pod once', async (k, when) => {
    const [h, id] = await begun(SMALL, SLOW);
    harness = h;
    const before = await podsOf(h);
    h.deps.log = dyingLog(h.deps.log, k, when);
    await restart(h, id);
    expect(stepOf(h, id)?.outcome).toMatchObject({ verdict: 'done' });
    const after = await podsOf(h);
    const mine = Object.keys(SMALL);
    expect(uids(after, ...mine)).toHaveLength(5);
    expect(uids(after, ...mine).filter((uid) => uids(before, ...mine).includes(uid))).toEqual([]);
    // One generation each: the same moment is written again after a crash, which changes nothing.
    const generations = mine.map((name) => h.cluster().get(`${PATH}/${name}`)?.metadata.generation);
    expect(generations).toEqual([2, 2, 2]);
  });
});
