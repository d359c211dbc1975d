// Kills a process at an exact moment: it is frozen in the turn in which something happened outside, so that it never hears of it.
import type { LoggedRequest, RequestMatcher } from 'kube-sandbox';
import { vi } from 'vitest';
import type { RoleProcess } from '../../../sandbox/process.ts';
import type { World } from '../../../sandbox/world.ts';

/** Longer than any test. */
const NEVER_MS = 3_600_000;
export const DEADLINE = { timeout: 20_000, interval: 10 };
/** A new worker first waits until the lock of a dead one lapses. */
const TAKEN_UP = { ...DEADLINE, timeout: 60_000 };

/** Asks whether a write would be taken, and is none. */
export const isTrial = ({ path }: { path: string }): boolean => path.includes('dryRun=All');

/** Method and path, whatever the query; but no trial of that. */
export const on =
  (method: string, path: string): RequestMatcher =>
  (request) =>
    request.method === method && request.path.split('?')[0] === path && !isTrial(request);

/** Runs `act` and waits for a request that it leads to, which the cluster never carries out; lift it for later ones. */
export async function hold(
  world: World,
  matches: RequestMatcher,
  act: () => Promise<unknown>,
): Promise<() => void> {
  const { faults, requests } = world.cluster('prod');
  const lift = faults.delay(NEVER_MS, matches);
  await act();
  await vi.waitUntil(() => requests.some((request) => request.status === 0 && matches(request)), TAKEN_UP);
  return lift;
}

/**
 * Runs `act`, freezes the worker at the first request that matches, lets the cluster carry it out and answer to nobody,
 * and kills the worker with SIGKILL.
 */
export async function killWorkerAfter(
  world: World,
  matches: RequestMatcher,
  act: () => Promise<unknown>,
): Promise<void> {
  const worker = world.worker();
  try {
    await freezeAfter(world, matches, () => worker.pid, act);
  } finally {
    await worker.kill();
  }
}

/** Freezes the worker in the same way, and answers how it is woken up again. */
export async function freezeWorkerAfter(
  world: World,
  matches: RequestMatcher,
  act: () => Promise<unknown>,
): Promise<() => void> {
  const { pid } = world.worker();
  await freezeAfter(world, matches, () => pid, act);
  return () => process.kill(pid, 'SIGCONT');
}

/** The same with a worker that is started now, and may take up work before it says that it is ready. */
export async function killNextWorkerAfter(world: World, matches: RequestMatcher): Promise<void> {
  let pid = 0;
  let started: Promise<RoleProcess | undefined> = Promise.resolve(undefined);
  try {
    await freezeAfter(
      world,
      matches,
      () => pid,
      async () => {
        const spawned = Promise.withResolvers<void>();
        started = world
          .startRole('worker', {
            spawned: (its) => {
              pid = its;
              spawned.resolve();
            },
          })
          // Killed before it was ready.
          .catch(() => undefined);
        await spawned.promise;
      },
    );
  } finally {
    if (pid !== 0) process.kill(pid, 'SIGKILL');
    await (await started)?.kill();
  }
}

async function freezeAfter(
  world: World,
  matches: RequestMatcher,
  pid: () => number,
  act: () => Promise<unknown>,
): Promise<void> {
  let met: LoggedRequest | undefined;
  // Asked for every request before it is carried out, in the same turn: the worker cannot hear of it first.
  const lift = world.cluster('prod').faults.delay(0, (request) => {
    if (met || !matches(request)) return false;
    met = request;
    process.kill(pid(), 'SIGSTOP');
    return false;
  });
  try {
    await act();
    await vi.waitUntil(() => met !== undefined && met.status !== 0, TAKEN_UP);
  } finally {
    lift();
  }
}

/** The same for the bot: it dies after Slack has done something, before it knows that. */
export async function killBotWhen(
  world: World,
  happened: () => boolean,
  act: () => Promise<unknown>,
): Promise<void> {
  const bot = world.bot();
  const { promise: frozen, resolve } = Promise.withResolvers<void>();
  // Told in the turn of the change, before the call that made it is answered.
  const stop = world.slack.onChange(() => {
    if (!happened()) return;
    stop();
    process.kill(bot.pid, 'SIGSTOP');
    resolve();
  });
  try {
    await act();
    await Promise.race([
      frozen,
      world.slack.waitFor(happened, DEADLINE.timeout, 'the moment to kill the bot'),
    ]);
  } finally {
    stop();
    await bot.kill();
  }
}
