// What people decide about an incident, and the approvals among that.

import type { Strategy } from '../plan/goal.ts';
import type { Coordinates } from '../token/identity.ts';

/** What a person can decide on a card. */
export type Verb =
  | 'contain'
  | 'approve'
  | 'withdraw'
  | 'break-glass'
  | 'review'
  | 'decline'
  | 'not-a-leak'
  | 'undo'
  | 'identify'
  /** A run that stopped: do what is left of it, the same without the workloads that hold it up, or take back what it did. */
  | 'retry'
  | 'skip'
  | 'roll-back'
  /** What is deleted by itself after a while stays, until somebody approves it. */
  | 'cancel-soak'
  /** Another way of rotating. */
  | 'choose'
  /** Who used the old token outside the cluster was moved, or there is nobody. */
  | 'outside'
  /** Clusters that could not be asked are left out of the claim, by name. */
  | 'leave-out';

/** Decisions that start no run but that the worker acts on, so it checks them before it does. */
export type Refused = Extract<
  Verb,
  'outside' | 'cancel-soak' | 'review' | 'decline' | 'not-a-leak' | 'leave-out'
>;

export interface Decision {
  verb: Verb;
  /** Slack user id. */
  by: string;
  reason?: string;
  /** The hash that the button carried; for retry, skip and roll-back the id of the run that stopped. */
  hash?: string;
  /** choose. */
  strategy?: Strategy;
  /** contain, approve: given for many incidents at once. */
  together?: true;
  /** What needs approvals: how many more people must approve; absent: this was the last, and it runs. */
  awaiting?: number;
  /** Version of the policy, and names of its rules, under which this was accepted. */
  policy?: string;
  rules?: string[];
  /** Of the user groups that the policy names, those that Slack said the person was in. */
  groups?: string[];
  /** undo, roll-back: also what began and stopped half-way is taken back; absent in logs of older versions. */
  half?: true;
  /** leave-out: the clusters. */
  clusters?: string[];
  /** identify: where the person says the token belongs. */
  at?: Coordinates;
  /** identify: the person pasted the token itself; it is sealed beside the log. */
  fingerprint?: string;
}

/** One person's approval of exactly these steps, or that exactly this run goes on; void as soon as it is about another. */
export interface Vote {
  verb: Verb;
  by: string;
  hash?: string;
  reason?: string;
  /** Given for many incidents at once. */
  together?: true;
  groups: string[];
  at: string;
}
