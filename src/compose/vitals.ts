// How a process is, in three questions: is it alive (or would a restart help), can it do its work, and what is it connected to.
import type { WorkRole } from '../adapters/bullmq/queue.ts';
import type { RunningWorker } from '../adapters/bullmq/worker.ts';

/** Filled in by the roles as their parts start. */
export interface Vitals {
  queues: Map<WorkRole, Pick<RunningWorker, 'lastPollAgeMs' | 'oldestJobMs'>>;
  /** Open sockets to Slack; undefined where this process does not talk to Slack. */
  readonly sockets: (() => number) | undefined;
  /** Why a cluster did not answer when it was last asked; an empty text where it did. */
  clusters: Map<string, string>;
  /** How far the clock of this machine is ahead of that of Redis, in milliseconds; undefined until Redis has said. */
  clockAheadMs: () => number | undefined;
}

/** `sockets`: of a process that talks to Slack. */
export const noVitals = (sockets?: () => number): Vitals => ({
  queues: new Map(),
  sockets,
  clusters: new Map(),
  clockAheadMs: () => undefined,
});

/** Many times as long as a poll waits. */
const STUCK_MS = 60_000;

/** `redis`: what is wrong with Redis. While it is away a restart would help nobody. */
export async function alive({ queues }: Vitals, redis: () => Promise<string[]>): Promise<string[]> {
  const stuck = [...queues].filter(([, queue]) => queue.lastPollAgeMs() > STUCK_MS);
  if (stuck.length === 0 || (await redis()).length > 0) return [];
  return stuck.map(
    ([role, queue]) =>
      `The queue "${role}" was not asked for work for ${Math.round(queue.lastPollAgeMs() / 1000)} s, although Redis answers. ` +
      'Restart this process: whatever it was doing is taken up again.',
  );
}

/**
 * Not whether Slack is connected: alerts are taken without it, and nobody would send them to a bot that is not ready. One
 * cluster that answers is enough to work for.
 */
export async function ready({ clusters }: Vitals, redis: () => Promise<string[]>): Promise<string[]> {
  const silent = [...clusters].filter(([, problem]) => problem !== '');
  const blind = clusters.size > 0 && silent.length === clusters.size;
  const problems = await redis();
  if (!blind) return problems;
  return [
    ...problems,
    `No cluster answers, so nothing can be contained; alerts are kept until one does. ${silent.map(([, problem]) => problem).join(' ')}`,
  ];
}

export function detail({ sockets, clusters, queues }: Vitals): object {
  return {
    ...(sockets && { slack: sockets() > 0 ? 'connected' : 'not connected' }),
    ...(clusters.size > 0 && {
      clusters: Object.fromEntries([...clusters].map(([name, problem]) => [name, problem || 'answers'])),
    }),
    oldestJobSeconds: Object.fromEntries(
      [...queues].map(([role, queue]) => [role, Math.round(queue.oldestJobMs() / 1000)]),
    ),
  };
}
