// One incident: the state that its events fold into, and what its parts are called.
import type { Outcome } from '../outcome.ts';
import type { Goal } from '../plan/goal.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { Belief, Looks } from '../proof/belief.ts';
import type { Proof } from '../proof/evidence.ts';
import type { Situation } from '../situation/situation.ts';
import type { Coordinates, TokenIdentity } from '../token/identity.ts';
import type { AlertUpdate, LeakAlert } from './alert.ts';
import type { Decision, Vote } from './decision.ts';

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

export interface Trouble {
  message: string;
  count: number;
  at: string;
  retryAfterMs?: number;
}

/** A token that somebody took for one user outside the cluster. */
export interface Collected {
  cluster: string;
  namespace: string;
  serviceAccount: string;
  /** Whom the API server takes them for. */
  by: string;
  /** The token dies with it. */
  anchor: string;
  /** ISO time. */
  until: string;
}

export type Why = 'approval-expired' | 'token-still-accepted' | 'nobody-can-approve' | 'review-open';

/** What an event made a reason to call people. `v`: the version of that event. */
export interface Alarm {
  why: Why;
  since: string;
  v: number;
  /** One sentence, without a token in it. */
  words: string;
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
  /** A person has said which token it is, and nobody has looked yet: what was seen may be of another. */
  renamed?: true;
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
