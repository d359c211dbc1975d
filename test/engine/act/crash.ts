// A process that dies at a given write to the log, and is started again from the log alone.
import type { IncidentLog } from '../../../src/ports/incident-log.ts';
import type { Harness } from '../harness.ts';

class Crash extends Error {}

/** Dies at the k-th append, before it is written or right after. */
export function dyingLog(
  log: IncidentLog,
  at: number,
  when: 'before' | 'after',
): IncidentLog & { left(): number } {
  let left = at;
  return {
    ...log,
    left: () => left,
    async append(request) {
      left -= 1;
      if (left === 0 && when === 'before') throw new Crash();
      const result = await log.append(request);
      if (left === 0) throw new Crash();
      return result;
    },
  };
}

/** Every append that this story makes, to die before it is written and right after. Closes the harness. */
export async function everyCrash(
  [h, id]: readonly [Harness, string, ...unknown[]],
  story: (h: Harness, id: string) => Promise<unknown>,
): Promise<[number, 'before' | 'after'][]> {
  const counted = dyingLog(h.deps.log, Number.MAX_SAFE_INTEGER, 'before');
  h.deps.log = counted;
  await story(h, id);
  await h.close();
  const total = Number.MAX_SAFE_INTEGER - counted.left();
  if (total === 0) throw new Error('This story appends nothing, so that nothing could be cut off.');
  return Array.from({ length: total }, (_, i) => i + 1).flatMap((k) => [
    [k, 'before'],
    [k, 'after'],
  ]);
}

/** Runs what is owed, starting again after the crash as a new process would: from the log alone. */
export async function survive(h: Harness, id: string, forMs: number): Promise<void> {
  try {
    await h.run(id, forMs);
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    await h.run(id, forMs);
  }
}

export function ignoreCrash(error: unknown): undefined {
  if (!(error instanceof Crash)) throw error;
  return undefined;
}
