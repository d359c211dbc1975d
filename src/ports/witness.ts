// What a process tells whoever counts, traces or logs what it did; not a port, because nothing depends on the answer.
import type { IncidentEvent } from '../domain/incident/events.ts';
import type { Incident } from '../domain/incident/incident.ts';

/** One append of this process: the incident before and after, all its events, and which of them are new. */
export interface Appended {
  id: string;
  /** Undefined: these opened it. */
  before: Incident | undefined;
  after: Incident;
  events: readonly IncidentEvent[];
  fresh: readonly IncidentEvent[];
  /** Unix milliseconds from asking the log until it was durable. */
  from: number;
  until: number;
}

/** One incident was brought up to date somewhere, from `from` until `until`; what it shows now happened last at `at`. */
export interface Shown {
  id: string;
  reporter: string;
  version: number;
  at: string;
  from: number;
  until: number;
}

/** A repeat of a known finding that was only counted. */
export interface Repeated {
  id: string;
  source: string;
}

/** Is told what this process did, each thing once, for metrics, traces and the program's own log. Never throws, and nobody waits for it. */
export interface Witness {
  appended(seen: Appended): void;
  shown(seen: Shown): void;
  repeated?(seen: Repeated): void;
}
