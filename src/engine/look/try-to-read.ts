// Reads that may fail: what could not be read is said, and stops nothing else.
import { isAppError } from '../../errors.ts';

/** Runs a read; a failure becomes a line for people and the fallback. */
export type TryToRead = <T>(what: string, fallback: T, read: () => Promise<T>) => Promise<T>;

/** `unread` gets the lines. */
export const tryingToRead =
  (unread: string[]): TryToRead =>
  async (what, fallback, read) => {
    try {
      return await read();
    } catch (error) {
      if (!isAppError(error)) throw error;
      unread.push(`${what}: ${error.message}`);
      return fallback;
    }
  };
