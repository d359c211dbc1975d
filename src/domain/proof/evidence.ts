// What was seen when API servers were asked whether they still accept the token, and how strong a claim that allows.
import type { Outcome } from '../outcome.ts';

/** The only level that may say "every API server" is `each-server`. */
export type ProofLevel = 'each-server' | 'load-balancer' | 'object-state';

export interface ProbeAnswer {
  server: string;
  /** refused = 401; accepted = 2xx or 403; inconclusive = anything else, or no control. */
  answer: 'refused' | 'accepted' | 'inconclusive';
  /** HTTP status, or a word such as `timeout`; for TokenReview its verdict. */
  seen: string;
  /** Whether another ServiceAccount token of this cluster was accepted at this address in the same round. */
  control: 'accepted' | 'failed' | 'none';
}

/** One round of probes over all servers of one cluster. */
export interface ProofRound {
  cluster: string;
  level: ProofLevel;
  /** ISO time of the first question; older logs do not have it. */
  began?: string;
  /** ISO time of the last answer. */
  at: string;
  answers: ProbeAnswer[];
  outcome: Outcome;
  /** Objects that are there are no evidence here: what was seen before counts no more, but for a refusal. */
  voids?: true;
}

export interface Proof {
  /** ISO time at which the kill that it proves had ended. */
  killedAt: string;
  rounds: ProofRound[];
  /** Set once, by `proved`. */
  outcome?: Outcome;
  provedAt?: string;
}
