// What a plug-in provides: slash commands, alert sources and actions are one file and one line in their index.
import type { z } from 'zod';
import type { AlertUpdate, LeakAlert } from './domain/incident/alert.ts';
import type { Incident, Memory, Progress } from './domain/incident/incident.ts';
import type { Outcome } from './domain/outcome.ts';
import type { Approach } from './domain/plan/goal.ts';
import type { Heir, Phase } from './domain/plan/plan.ts';
import type { Rehearsed } from './domain/plan/rehearsal.ts';
import type { Pace } from './domain/plan/waves.ts';
import type { Situation } from './domain/situation/situation.ts';
import type { Coordinates, TokenIdentity } from './domain/token/identity.ts';
import type { Answer, Cluster, Question } from './ports.ts';
import type { Secret } from './secret.ts';

// ---- Alert sources ----------------------------------------------------------------------------------------------

export interface Finding {
  alert: LeakAlert;
  /** The leaked token, where the alert carried it. */
  token?: Secret;
}

export type Parsed =
  | { kind: 'findings'; findings: Finding[] }
  | { kind: 'update'; update: AlertUpdate }
  /** A test message or something of no concern: answered 2xx, nothing opened. */
  | { kind: 'ignored'; why: string };

export interface RawRequest {
  /** Lower-case names. */
  headers: Record<string, string | undefined>;
  body: Buffer;
}

/**
 * One kind of incoming alert, served at POST /hooks/<name>. `verify` throws AppError `bad-signature`; `parse` throws
 * AppError `bad-input`. Both messages are safe to show and never quote the body.
 */
export interface AlertSource {
  name: string;
  /**
   * Checks authenticity over the raw bytes, and that the timestamp is at most `toleranceMs` off (one minute by default);
   * returns the delivery's id, by which replays are refused.
   */
  verify(request: RawRequest, secret: Secret, nowMs: number, toleranceMs?: number): string;
  parse(request: RawRequest): Parsed;
  /** Throws AppError `bad-config` where this can be no secret of this source; for a check of the configuration. */
  checkSecret?(secret: Secret): void;
}

// ---- Actions ----------------------------------------------------------------------------------------------------

/** One RBAC rule, with the scope at which it is needed. */
export interface Permission {
  /** opt-in: in no role by default; a plan that needs it says which rules are missing, for named objects. */
  scope: 'namespace' | 'cluster' | 'opt-in';
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

export interface Proposal {
  identity: TokenIdentity;
  situation: Situation;
  /** How the goal is gone about. */
  approach: Approach;
  /** A person agreed that what nobody would start again, or does not roll by itself, is replaced too. */
  consent: boolean;
  /** ISO date (day) for labels. */
  today: string;
  /** How carefully Pods are to be replaced. */
  pace: Pace;
}

export interface StepText {
  title: string;
  breaks: string;
  kubectl: string[];
  /** What taking it back does, as the title says what doing it does. */
  back?: string;
  /** Patches in YAML for what is kept in Git, where the change would be taken back otherwise. */
  forGit?: string[];
  /** What takes the place of what leaked: who used that from outside the cluster gets new tokens of it. */
  gives?: Heir;
}

/** What an action may look with, to say what a cluster shows now. */
export interface Look {
  cluster: Cluster;
  identity: TokenIdentity;
  /** The leaked token, where it is held and is surely the one that this cluster signed. */
  token?: Secret;
  /** ISO date (day) for labels. */
  today: string;
  /** What this step has remembered so far, also before a crash and before the run was tried again. */
  readonly memory: Readonly<Memory>;
  /** What this very step answered when it was last done, such as the UID of what it changed. */
  readonly facts?: Outcome['facts'] | undefined;
  /** Unix milliseconds. */
  now(): number;
}

/**
 * What an action may touch while it runs. A step may take as long as it needs: where it is interrupted, `execute` is
 * called again with what it remembered. All of these throw once somebody else has taken the step or the process stops;
 * let that through.
 */
export interface Bench extends Look {
  /** Durable when it resolves; call it before the change that needs it. Merged by key; see `Memory` for what may be in it. */
  remember(note: Memory): Promise<void>;
  /** Shown on the card every few seconds; call it as often as you like. */
  progress(progress: Progress): Promise<void>;
  /** Aborted when the process stops or somebody else has taken the step. */
  signal: AbortSignal;
  sleep(ms: number): Promise<void>;
}

/**
 * One remediation. `propose` is pure. `execute` is one conditional write, or a sequence that resumes from what it
 * remembered; it is called again after a crash, so it must be harmless twice. Throws AppError for failures of the world.
 */
export interface Action<P extends Record<string, unknown> = Record<string, unknown>> {
  name: string;
  /** In which its steps run; where that depends on what is asked of it, by its parameters. */
  phase: Phase | ((params: P) => Phase);
  reversible: boolean;
  params: z.ZodType<P>;
  permissions: Permission[];
  propose(proposal: Proposal): P[];
  describe(params: P, cluster: string): StepText;
  /**
   * Tries by server-side dry run what it would create and patch, and tells what is refused or cannot be known. Asked when
   * a plan is made, and again before the first step of it that stays for good.
   */
  rehearse?(look: Look, params: P): Promise<Rehearsed[]>;
  execute(bench: Bench, params: P): Promise<Outcome>;
  /** What the cluster shows now: done, not-done, or unknown. */
  verify(look: Look, params: P): Promise<Outcome>;
  undo?(bench: Bench, params: P): Promise<Outcome>;
}

/** Types the params of one action and hides them from the list. */
export function defineAction<P extends Record<string, unknown>>(action: Action<P>): Action {
  return action as unknown as Action;
}

// ---- Slash commands ---------------------------------------------------------------------------------------------

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
export interface Desktop {
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
  run(desktop: Desktop, text: string): Promise<Reply>;
}
