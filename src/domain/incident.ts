// One incident: the events that are its truth, and the state that they fold into.
import type { AlertUpdate, LeakAlert } from './alert.ts';
import type { Decision, Refused, Vote } from './decision.ts';
import type { Alarm, Why } from './escalation.ts';
import type { ProofRound } from './evidence.ts';
import type { Goal } from './goal.ts';
import type { Collected } from './hand-over.ts';
import type { Outcome } from './outcome.ts';
import type { Plan, Step } from './plan.ts';
import type { Belief, Looks } from './sightings.ts';
import type { Situation } from './situation.ts';
import type { Coordinates, TokenIdentity } from './token-identity.ts';

export type { Decision, Refused, Verb, Vote } from './decision.ts';

/** Somebody ran a plan alone: open until somebody else has looked at it. */
export interface Review {
  by: string;
  reason: string;
  at: string;
  closed?: { by: string; note: string; at: string };
}

/** The kill switch: nothing is written to any cluster until somebody lets it go on. */
export interface Pause {
  /** Slack user id. */
  by: string;
  reason: string;
  /** ISO time. */
  at: string;
}

/** dry-run: the plan was shown, and nothing was to be done. */
export type CloseKind = 'resolved' | 'declined' | 'false-alarm' | 'expired' | 'dry-run';
/** Work that is retried from the log when it fails. */
export type WorkKind =
  | 'investigate'
  | 'run'
  | 'prove'
  | 'recheck'
  | 'expire'
  | 'remind'
  | 'close'
  | 'soak'
  | 'forget-token'
  | 'escalate'
  | 'report';

export type EventBody =
  /** The first opens the incident; later ones are repeats. `fingerprint`: the alert carried a token, sealed beside the log. */
  /** `repeats`: how many were only counted since the one before. */
  | { type: 'alert-received'; alert: LeakAlert; fingerprint?: string; repeats?: number }
  | { type: 'alert-updated'; update: AlertUpdate }
  /** `fingerprint`: the live token was found by its hash and sealed. */
  | { type: 'identified'; identity: TokenIdentity; fingerprint?: string }
  | { type: 'unidentified'; reason: string; near: string[] }
  | { type: 'auto-contained'; steps: Step[]; rule: string; policy?: string }
  | { type: 'auto-contain-skipped'; reason: string }
  | { type: 'situation-observed'; situations: Situation[] }
  /** `expiry`: milliseconds that it waits for approval, by this version of the policy. */
  /** `nobody`: why no one can approve it. */
  /** `looks`: when it is looked at again while it is open, see Timing. */
  | {
      type: 'plan-proposed';
      plan: Plan;
      policy?: string;
      expiry?: number;
      nobody?: string;
      looks?: number[];
      /** And after it was closed. */
      rechecks?: number[];
    }
  /** Nobody approved in time: everything is looked at again and a fresh plan posted. */
  /** `why`: absent where time did it; asked: somebody pressed a button of a plan that had waited too long. */
  | { type: 'plan-expired'; why?: 'policy-changed' | 'asked' }
  /** `count`: of the present plan, from 1. */
  | { type: 'reminded'; count: number }
  | { type: 'decided'; decision: Decision }
  /** Somebody wants to see this incident on a card of its own, and not only in the summary of a burst. */
  | { type: 'card-asked'; by: string }
  /** The worker's policy does not let this person do it; what it had changed is taken back. */
  | { type: 'decision-refused'; verb: Refused; by: string; reason: string }
  /** These people asked for another incident about the same ServiceAccount, so they asked for this one too. */
  | { type: 'also-asked-for'; incident: string; by: string[] }
  /** The waiting time is over: what was approved to happen after it happens. */
  | { type: 'soaked' }
  | { type: 'step-started'; run: string; step: string; attempt: number }
  /** What the step must still know after a crash, written before the change that needs it; later notes win by key. */
  | { type: 'step-noted'; run: string; step: string; note: Memory }
  | ({ type: 'step-progressed'; run: string; step: string } & Progress)
  | { type: 'step-ended'; run: string; step: string; outcome: Outcome }
  /** What the switch says, noted on every open incident; `at` is when it was pressed. */
  | { type: 'paused'; pause: Pause }
  | { type: 'resumed'; by: string }
  /** `refused`: not for want of approvals, but because of who had it tried again. */
  | { type: 'run-stopped'; run: string; reason: string; refused?: true }
  | { type: 'probed'; rounds: ProofRound[] }
  | { type: 'proved'; outcome: Outcome }
  /** `rounds`: what was seen on each cluster; older logs have the outcome alone. */
  | { type: 'rechecked'; index: number; outcome: Outcome; rounds?: ProofRound[] }
  /** `clusters`: that accept the token again; absent in older logs: any of them may. */
  | { type: 'reopened'; reason: string; clusters?: string[] }
  | { type: 'closed'; as: CloseKind; reason: string }
  | { type: 'token-forgotten'; reason: string }
  /** People were called outside Slack, or `failed` says why they could not be. */
  | { type: 'escalated'; call: string; why: Why; failed?: string }
  /** Somebody took a new token for a user outside the cluster; never the token. */
  | { type: 'collected'; collected: Collected }
  /** `retryAfterMs`: who refused says when to come back. */
  | { type: 'trouble'; work: WorkKind; message: string; retryAfterMs?: number };

/** `at` is ISO time; `v` counts from 1 without gaps. */
export type IncidentEvent = EventBody & { v: number; at: string };

export type Status =
  | 'detected'
  | 'identified'
  | 'awaiting-approval'
  | 'queued'
  | 'running'
  | 'verifying'
  | 'needs-human'
  | CloseKind;

/** Identifiers, UIDs, times and manifests; never a token. The engine itself knows two keys. */
export interface Memory extends Record<string, unknown> {
  /** `Kind/name` of what the step waited for in vain: a person may skip it. */
  blocked?: string[];
  /** What a person said to skip; the step goes on without it. */
  skipped?: string[];
}

export interface Progress {
  done: number;
  total: number;
  /** What is happening now, in one sentence. */
  line: string;
}

export interface StepState {
  step: Step;
  attempts: number;
  startedAt?: string;
  endedAt?: string;
  outcome?: Outcome;
  memory?: Memory;
  /** `from` and `since`: where the count began, for an estimate of the rest. */
  progress?: Progress & { at: string; from: number; since: string };
  /** Since when what it had done is known to be undone by somebody else. */
  lost?: string;
}

export interface Run {
  id: string;
  kind: 'contain' | 'plan' | 'undo' | 'roll-back';
  /** Slack user id, or `policy`. */
  by: string;
  at: string;
  /** Which token it is about, as the incident was identified then. */
  about?: string;
  steps: StepState[];
  /** The approvals that started it; the worker counts them again before each step. */
  votes: Vote[];
  /** roll-back: the approvals of what it takes back. */
  basis?: Vote[];
  /** When its approvals were counted, where that was long before it began. */
  approvedAt?: string;
  /** Who had it tried again, or go on without what held it up. */
  again?: Vote;
  /** The worker's policy did not let that person, so nothing of it counts. */
  refused?: true;
  /** Started by one person in an emergency. */
  breakGlass?: { id: string; groups: string[] };
  /** undo, roll-back: by a version that also takes back what stopped half-way. */
  half?: true;
  /** Set when it cannot go on without a person. */
  stopped?: string;
}

export interface Proof {
  /** ISO time at which the kill that it proves had ended. */
  killedAt: string;
  rounds: ProofRound[];
  /** Set once, by `proved`. */
  outcome?: Outcome;
  provedAt?: string;
}

export interface Trouble {
  message: string;
  count: number;
  at: string;
  retryAfterMs?: number;
}

export interface Incident {
  id: string;
  version: number;
  openedAt: string;
  /** Time of the last event. */
  updatedAt: string;
  status: Status;
  /** What is wanted, as whoever asked last said. */
  goal: Goal;
  alerts: { alert: LeakAlert; at: string; v: number; repeats?: number }[];
  updates: { update: AlertUpdate; at: string }[];
  /** A sealed copy of the leaked token exists. */
  tokenHeld: boolean;
  fingerprint?: string;
  /** When the token was sealed. */
  tokenHeldSince?: string;
  identity?: TokenIdentity;
  unidentified?: { reason: string; near: string[] };
  /** What the sightings are about, see sightings.ts. */
  about?: string;
  /** By the name of the cluster. */
  beliefs: Record<string, Belief>;
  looks?: Looks;
  /** Milliseconds after which looks are owed while it is open, as the worker that made the plan was told. */
  ladder?: readonly number[];
  /** The same after it was closed. */
  closedLadder?: readonly number[];
  /** Clusters that were never asked, and who said that the claim goes without them. */
  leftOut: { clusters: string[]; by: string; at: string }[];
  /** Coordinates that a person gave in the Identify form; they win over the alert's. */
  given?: Coordinates;
  situations: Situation[];
  plan?: Plan;
  planAt?: string;
  /** Plans in a row that expired while nobody did anything: each waits longer than the one before. */
  unanswered: number;
  /** Milliseconds that the plan waits for approval, where the policy says so. */
  planExpiry?: number;
  /** Version of the policy that the plan was made under. */
  planPolicy?: string;
  /** How often people were reminded of the present plan. */
  reminders: number;
  /** Approvals of the present plan that have not started it yet. */
  votes: Vote[];
  /** Who asked for another incident about the same ServiceAccount. */
  alsoAsked: { by: string; incident: string }[];
  paused?: Pause;
  /** Every break-glass, oldest first. */
  reviews: Review[];
  /** Reasons to call people outside Slack, and the calls that were made. */
  alarms: Alarm[];
  escalated: { call: string; at: string; failed?: string }[];
  autoContainSkipped?: string;
  decisions: { decision: Decision; at: string; v: number }[];
  runs: Run[];
  proof?: Proof;
  /** Results of looks since the last proof, oldest first. */
  rechecks: { index: number; at: string; outcome: Outcome }[];
  reopened?: { reason: string; at: string };
  closed?: { as: CloseKind; reason: string; at: string };
  /** What a person found out about users of the old token outside the cluster. */
  outside?: { by: string; at: string; reason: string };
  /** New tokens that people took for users outside the cluster, oldest first. */
  collected: Collected[];
  /** Steps that would have run by themselves wait for an approval now. */
  soakCancelled?: true;
  /** It was dead or contained, and the last look says that it is accepted. */
  liveAgain: boolean;
  /** The investigation is owed: nothing was planned since the last alert, undo or re-opening. */
  stale: boolean;
  troubles: Partial<Record<WorkKind, Trouble>>;
}
