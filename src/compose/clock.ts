// The clock of a process: that of Redis, asked again and again, and a warning where the machine's own differs.
import { createClock, type SharedClock } from '../adapters/redis/clock.ts';
import type { Store } from '../adapters/redis/connect.ts';
import { every } from '../every.ts';
import type { Clock } from '../ports/clock.ts';
import type { Assembly } from './assembly.ts';
import type { Telemetry } from './telemetry.ts';

/** A clock that drifts badly loses a millisecond in that time. */
const ASK_EVERY_MS = 10_000;

/** More than any network takes, and what people would notice on a card. */
const LARGEST_DIFFERENCE_MS = 1000;

/** For what the outside says or is told: signatures of senders, and times that they compare with their own. */
export const WALL: Clock = { now: () => Date.now() };

export function shareClock(
  { log, stack }: Pick<Assembly, 'log' | 'stack'>,
  store: Store,
  { vitals }: Telemetry,
): SharedClock {
  const clock = createClock(store);
  vitals.clockAheadMs = clock.aheadMs;
  let told = false;
  const ask = async (): Promise<void> => {
    await clock.ask();
    const ahead = clock.aheadMs() ?? 0;
    const differs = Math.abs(ahead) > LARGEST_DIFFERENCE_MS;
    if (differs && !told)
      log.warn(
        { aheadSeconds: Math.round(ahead) / 1000 },
        'the clock of this machine and that of Redis differ by more than a second; all goes by that of Redis. Set both by NTP',
      );
    told = differs;
  };
  // Where Redis is away others say so, and the time runs on.
  const asking = every(ASK_EVERY_MS, ask, () => undefined, ASK_EVERY_MS);
  stack.defer(() => asking.stop());
  return { ...clock, ask };
}
