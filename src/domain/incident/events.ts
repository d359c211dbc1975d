// The events of one incident, which are its truth: what the log holds, one after the other.
import type { Outcome } from '../outcome.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { ProofRound } from '../proof/evidence.ts';
import type { Situation } from '../situation/situation.ts';
import type { TokenIdentity } from '../token/identity.ts';
import type { AlertUpdate, LeakAlert } from './alert.ts';
import type { Decision, Refused } from './decision.ts';
import type { CloseKind, Collected, Memory, Pause, Progress, Why, WorkKind } from './incident.ts';

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
