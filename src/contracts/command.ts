// What a slash command provides: one file in commands/, and one line in its index.
import type { Incident } from '../domain/incident/incident.ts';
import type { Coordinates } from '../domain/token/identity.ts';
import type { Answer, Question } from '../ports/desk.ts';
import type { Finding } from './alert-source.ts';

export interface CommandHelp {
  /** One line. */
  summary: string;
  /** Arguments, as in the Slack manifest's usage_hint: "[cluster/]namespace/name [reason]". */
  usage: string;
  whoCanUse: string;
  examples: string[];
}

/** What a command wants shown to the person who typed it, as data. */
export type Reply =
  /** Only that person sees it. Slack mrkdwn. */
  | { kind: 'text'; text: string }
  /** Open the form that reports a leak, filled in as far as known. */
  | { kind: 'leak-form'; at?: Partial<Coordinates>; reason?: string }
  /** Open the form of this command, which types it in the end; `ways`: it offers the ways of rotating that fit. */
  | { kind: 'request-form'; command: string; ways: boolean }
  /** A new or existing incident: link to its card. */
  | { kind: 'opened'; incidentId: string; created: boolean }
  | { kind: 'incidents'; incidents: Incident[]; note?: string };

/** What a command can do; the adapter has already answered Slack when `run` is called. */
export interface CommandTools {
  /** Slack user id. */
  user: string;
  channel: string;
  clusters: string[];
  ask(question: Question): Promise<Answer>;
  /** Opens an incident, durably, or finds the open one for the same thing. */
  report(finding: Finding): Promise<{ incidentId: string; created: boolean }>;
  incidents(limit: number): Promise<Incident[]>;
  /** By full id or a unique beginning of it. */
  incident(id: string): Promise<Incident | undefined>;
  /** The kill switch: with a reason everything is stopped, without one it goes on. Resolves to what to tell the person. */
  pause(reason?: string): Promise<string>;
  /** Lines about the health of the parts, for people. */
  health(): Promise<string[]>;
  /** All commands, for help. */
  commands: Command[];
}

export interface Command {
  /** Without the slash: `revoke-sa`. */
  name: string;
  help: CommandHelp;
  run(tools: CommandTools, text: string): Promise<Reply>;
}
