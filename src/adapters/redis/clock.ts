// The one clock that all processes share: that of Redis, asked now and then, and carried on by one that nobody can set.
import type { Clock } from '../../ports/clock.ts';
import type { Store } from './connect.ts';

export interface SharedClock extends Clock {
  /** Throws AppError `store-unavailable`; the time runs on from the last answer meanwhile. */
  ask(): Promise<void>;
  /** How far the clock of this machine is ahead of that of Redis; undefined until Redis has said. */
  aheadMs(): number | undefined;
}

export interface Hands {
  /** Runs evenly from anywhere, whatever is done to the clock of the machine. */
  steady(): number;
  /** Unix milliseconds by the clock of the machine. */
  wall(): number;
}

const HANDS: Hands = { steady: () => performance.now(), wall: () => Date.now() };

export function createClock(store: Pick<Store, 'run'>, { steady, wall }: Hands = HANDS): SharedClock {
  let offset = wall() - steady();
  let asked = false;
  /** What was shown last, and when. */
  let shown = Number.NEGATIVE_INFINITY;
  let at = steady();
  return {
    now() {
      const instant = steady();
      // Where Redis's clock steps back, time goes on at half speed until they agree: it neither stops nor goes back.
      shown = Math.max(instant + offset, shown + (instant - at) / 2);
      at = instant;
      return Math.floor(shown);
    },
    async ask() {
      const before = steady();
      const [seconds = 0, micros = 0] = await store.run((redis) => redis.time());
      const after = steady();
      const told = Number(seconds) * 1000 + Number(micros) / 1000;
      // It was read at some moment in between. What fits already is kept, so that a slow answer moves nothing.
      const fits = asked && offset >= told - after && offset <= told - before;
      if (!fits) offset = told - (before + after) / 2;
      if (!asked) shown = Number.NEGATIVE_INFINITY;
      asked = true;
    },
    aheadMs: () => (asked ? wall() - steady() - offset : undefined),
  };
}
