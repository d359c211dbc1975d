// What a check of `tourniquet doctor` is given, and what it answers: one file for each outside world, and one line in list.ts.
import type { ConfigReading, Role } from '../../config/config.ts';
import { broken, type Diagnosis, notChecked } from '../../config/diagnosis.ts';
import { isAppError } from '../../errors.ts';
import type { Log } from '../../log.ts';

export interface Given {
  /** Whose side is looked at. */
  role: Role;
  reading: ConfigReading;
  /** Namespaces in which the worker is meant to act, where somebody said so. */
  actIn: readonly string[];
  log: Log;
  /** Unix milliseconds. */
  now(): number;
}

export interface Check {
  /** Heading for people. */
  group: string;
  /** Whose matter it is; absent: everybody's. */
  role?: 'bot' | 'worker';
  run(given: Given): Promise<Diagnosis[]> | Diagnosis[];
}

/** A failure of the outside world as a finding; anything else is a mistake of ours and goes on. */
export function failed(name: string, error: unknown, remedy: string): Diagnosis {
  if (!isAppError(error)) throw error;
  if (error.code === 'throttled')
    return notChecked(name, 'Slowed down by the other side; try again in a minute.');
  return broken(name, error.message, remedy);
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;
