// What is believed of the token: what was last seen of it, on which cluster, by what and when.
import type { ProofLevel } from './evidence.ts';

export interface Sighting {
  cluster: string;
  /** labelled: its Secret is quarantined. gone: what it lives by is gone. Both by object state, so not asked of a server. */
  saw: 'accepted' | 'refused' | 'labelled' | 'gone' | 'unknown';
  /** write: our own write said so. */
  by: ProofLevel | 'write';
  /** ISO time. */
  at: string;
  /** One sentence for people. */
  detail: string;
  /** For one that is unknown: see ProofRound. */
  voids?: true;
}

/** What is believed of one cluster: the last clear sighting, and a later look that told nothing. */
export interface Belief {
  seen?: Sighting;
  missed?: Sighting;
}

/** Looks since something last changed for the token; the next is owed later and later. */
export interface Looks {
  /** ISO time. */
  since: string;
  count: number;
  /** ISO time of the last one, or of the last investigation. */
  lastAt?: string;
}
