// The kill switch, shared by all processes.
import type { Pause } from '../domain/incident/incident.ts';

/** Stops everything that writes to clusters, until somebody lets it go on. Throws AppError `store-unavailable`. */
export interface PauseSwitch {
  /** Undefined: not paused. */
  read(): Promise<Pause | undefined>;
  write(pause: Pause | undefined): Promise<void>;
}
