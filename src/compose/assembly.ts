// How one role is put together.
import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';

/** How one role is put together; `stack` takes it apart again, in reverse order. */
export interface Assembly {
  config: Config;
  log: Log;
  stack: AsyncDisposableStack;
  /** Milliseconds that running work may take to finish when the process stops. */
  graceMs: number;
}
