// The queue of work that is owed to incidents.
import type { WorkKind } from '../domain/incident/incident.ts';

export interface Work {
  /** Unique for this very occasion; adding it twice is one job. No colon. */
  id: string;
  kind: WorkKind;
  incidentId: string;
  /** Unix milliseconds; in the past = now. */
  at: number;
}

export interface JobQueue {
  /** `late`: it is owed by now, so what is in the queue for later already is let go at once. */
  add(work: Work[], late?: 'late'): Promise<void>;
}
