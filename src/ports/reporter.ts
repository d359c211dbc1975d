// Shows incidents to people, wherever they are.
import type { IncidentEvent } from '../domain/incident/events.ts';
import type { Incident } from '../domain/incident/incident.ts';

/** Shows incidents to people. */
export interface Reporter {
  readonly name: string;
  /** Bring everything shown up to date with the incident; returns the version that is now shown. Throws AppError where it must be retried. */
  report(incident: Incident, events: IncidentEvent[], cursor: number, head: string): Promise<number>;
}
