// Lets so much work in at once, the rest in order: so that what may wait never takes the place of a kill.

/** A process that stops lets go on what waits here: it is short, and what a grace period cuts off is run again elsewhere. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

export function createGate(width: number): Gate {
  const waiting: (() => void)[] = [];
  let within = 0;
  const enter = async (): Promise<void> => {
    if (within < width) within += 1;
    // Whoever leaves hands its place on, so nobody slips in between.
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) within -= 1;
    else next();
  };
  return async (work) => {
    await enter();
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
