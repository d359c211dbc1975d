// Lets so much work in at once, the rest in order: so that what may wait never takes the place of a kill.
import { AppError } from '../errors.ts';

/** Throws AppError `interrupted` for what had not begun when the process stopped; the log still owes it. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

export function createGate(width: number, stopping: AbortSignal): Gate {
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
      if (stopping.aborted)
        throw new AppError('interrupted', 'This process stops; another one goes on with what is owed.');
      return await work();
    } finally {
      leave();
    }
  };
}
