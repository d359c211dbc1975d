// Stops the worker's process the moment a chosen request arrives at the cluster, so that a test decides what it still saw.
import { vi } from 'vitest';
import type { LoggedRequest, RequestMatcher } from '../../../sandbox/cluster/faults.ts';
import type { World } from '../../../sandbox/world.ts';

/** Longer than any test. */
const NEVER_MS = 3_600_000;
export const DEADLINE = { timeout: 20_000, interval: 10 };

/** `lost`: the cluster never does it. `done`: it does, and the worker never hears of it. */
export type Fate = 'lost' | 'done';

/**
 * Runs `act`, freezes the worker at the first request that matches, lets the request meet its fate, and kills the worker
 * with SIGKILL.
 */
export async function killWorkerAt(
  world: World,
  matches: RequestMatcher,
  fate: Fate,
  act: () => Promise<unknown>,
): Promise<LoggedRequest> {
  const { faults } = world.cluster('prod');
  const { promise: arrival, resolve } = Promise.withResolvers<LoggedRequest>();
  let met: LoggedRequest | undefined;
  // Asked for every request before it is carried out, in the same turn: the worker cannot hear of it first.
  const lift = faults.delay(NEVER_MS, (request) => {
    if (met || !matches(request)) return false;
    met = request;
    process.kill(world.worker().pid, 'SIGSTOP');
    resolve(request);
    return fate === 'lost';
  });
  try {
    await act();
    await vi.waitFor(() => {
      if (!met) throw new Error('The request at which the worker was to be killed did not come.');
    }, DEADLINE);
    const request = await arrival;
    if (fate === 'done')
      await vi.waitFor(() => {
        if (request.status === 0) throw new Error('The cluster has not answered yet.');
      }, DEADLINE);
    return request;
  } finally {
    lift();
    await world.worker().kill();
  }
}
