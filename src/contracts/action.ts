// What a remediation provides: one file in actions/, and one line in its index.
import type { z } from 'zod';
import type { Memory, Progress } from '../domain/incident/incident.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Approach } from '../domain/plan/goal.ts';
import type { Heir, Phase } from '../domain/plan/plan.ts';
import type { Rehearsed } from '../domain/plan/rehearsal.ts';
import type { Pace } from '../domain/plan/waves.ts';
import type { Situation } from '../domain/situation/situation.ts';
import type { TokenIdentity } from '../domain/token/identity.ts';
import type { Cluster, ClusterTrial, ClusterView } from '../ports/cluster.ts';
import type { Secret } from '../secret.ts';

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
export interface StepView {
  cluster: ClusterView;
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

/** What an action may try with, by server-side dry run. */
export interface StepTrial extends StepView {
  cluster: ClusterTrial;
}

/**
 * What an action may touch while it runs. A step may take as long as it needs: where it is interrupted, `execute` is
 * called again with what it remembered. All of these throw once somebody else has taken the step or the process stops;
 * let that through.
 */
export interface StepTools extends StepTrial {
  cluster: Cluster;
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
 * What is given tools is a property and no method: TypeScript would let a method ask for more than it is given.
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
  rehearse?: (trial: StepTrial, params: P) => Promise<Rehearsed[]>;
  execute: (tools: StepTools, params: P) => Promise<Outcome>;
  /** What the cluster shows now: done, not-done, or unknown. */
  verify: (look: StepView, params: P) => Promise<Outcome>;
  undo?: (tools: StepTools, params: P) => Promise<Outcome>;
}

/** Types the params of one action and hides them from the list. */
export function defineAction<P extends Record<string, unknown>>(action: Action<P>): Action {
  return action as unknown as Action;
}
