// What the people-facing adapters (Slack, HTTP, command line) may ask of the engine.
import type { Finding } from '../../contracts/alert-source.ts';
import type { Click, Person, Refusal } from '../../domain/decision/click.ts';
import type { AlertUpdate } from '../../domain/incident/alert.ts';
import type { Incident, Pause } from '../../domain/incident/incident.ts';
import type { Answer, Question } from '../../ports/desk.ts';
import type { Recognised } from '../../ports/incident-log.ts';
import type { Secret } from '../../secret.ts';
import type { Switched } from './pause.ts';

export type Decided = { decided: true; incident: Incident } | { decided: false; refusal: Refusal };

export interface Opened {
  incidentId: string;
  /** False: it was added to an incident that exists. */
  created: boolean;
}

/** Every method throws AppError where the store or the worker is away; nothing was accepted then. */
export interface Front {
  /** Resolves once the report is durable. */
  report(finding: Finding, known?: Promise<Recognised | undefined>): Promise<Opened>;
  /** Whether the finding is known, in one read; for `report`, by whoever has something else to ask at the same time. */
  recognise(finding: Finding): Promise<Recognised | undefined>;
  update(update: AlertUpdate): Promise<void>;
  /** `token`: what a person pasted into the Identify form; it is sealed with the decision. */
  decide(incidentId: string, click: Click, token?: Secret): Promise<Decided>;
  /** Stops everything that writes to clusters, with a reason; without one, lets it go on. */
  pause(by: Person, reason?: string): Promise<Switched>;
  paused(): Promise<Pause | undefined>;
  /** This person wants to see the incident on a card of its own. False: there is no such incident. */
  askForCard(id: string, by: Person): Promise<boolean>;
  incident(id: string): Promise<Incident | undefined>;
  /** Newest first. */
  incidents(limit: number): Promise<Incident[]>;
  ask(question: Question): Promise<Answer>;
  /** What is wrong right now, as sentences; empty when all is well. */
  health(): Promise<string[]>;
  clusters: string[];
}
