// A worker that is stopped at a given point for as long as the test likes, and wakes up as if nothing had happened.
import type { WorkerDeps } from '../../../src/engine/ground/deps.ts';
import type { Cluster } from '../../../src/ports/cluster.ts';
import type { IncidentLog } from '../../../src/ports/incident-log.ts';
import type { Harness } from '../harness.ts';

/** Where it sleeps: after it noted that it begins, after a read of an object, or with a write in its hand that nobody can check any more. */
export const POINTS = ['after its note', 'after its read', 'in its write'] as const;
export type Point = (typeof POINTS)[number];

export interface Sleeper {
  deps: WorkerDeps;
  /** Resolves when it sleeps. */
  asleep: Promise<void>;
  wake(): void;
}

type Write = 'create' | 'patch' | 'remove' | 'evict';

/** `write`: the kind of write that it is about to do, where there are several. `of`: part of the name of what it writes to. */
export function sleeper(h: Harness, point: Point, write: Write = 'patch', of = ''): Sleeper {
  const asleep = Promise.withResolvers<void>();
  const woken = Promise.withResolvers<void>();
  let slept = false;
  const sleep = async (): Promise<void> => {
    if (slept) return;
    slept = true;
    asleep.resolve();
    await woken.promise;
  };
  const log: IncidentLog = {
    ...h.deps.log,
    async append(request) {
      const result = await h.deps.log.append(request);
      const begins = request.events.some(({ type }) => type === 'step-started');
      if (point === 'after its note' && begins && result.kind === 'appended') await sleep();
      return result;
    },
  };
  const through = (cluster: Cluster): Cluster => {
    const writing =
      <R>(given: (...args: never[]) => Promise<R>) =>
      async (...args: never[]): Promise<R> => {
        if (point === 'in its write' && JSON.stringify(args[0]).includes(of)) await sleep();
        return await given(...args);
      };
    return {
      ...cluster,
      async get<T>(...args: Parameters<Cluster['get']>): Promise<T | null> {
        const found = await cluster.get(...args);
        if (point === 'after its read' && args[0].name.includes(of)) await sleep();
        return found as T | null;
      },
      [write]: writing(cluster[write] as (...args: never[]) => Promise<unknown>),
    };
  };
  const clusters = new Map([...h.deps.clusters].map(([name, cluster]) => [name, through(cluster)]));
  return { deps: { ...h.deps, log, clusters }, asleep: asleep.promise, wake: () => woken.resolve() };
}
