// The exact steps proposed, and the hash that a person's click binds to.

/** Steps run in this order. */
export const PHASES = ['contain', 'replace', 'roll-out', 'revoke', 'recover', 'harden'] as const;
export type Phase = (typeof PHASES)[number];

/** After these nothing is accepted any more: what is proven. */
export const kills = ({ phase }: Pick<Step, 'phase'>): boolean => phase === 'contain' || phase === 'revoke';

/** Pods are replaced: before the old identity dies, or, where it had to die first, after it. */
export const rolls = ({ phase }: Pick<Step, 'phase'>): boolean => phase === 'roll-out' || phase === 'recover';

export interface Step {
  /** Unique in the plan: `<action>-<n>`. */
  id: string;
  action: string;
  phase: Phase;
  cluster: string;
  /** Validated by the action's own schema; identifiers and UIDs only. */
  params: Record<string, unknown>;
  /** "Quarantine Secret payments/api-token". */
  title: string;
  /** What stops working, in one sentence. */
  breaks: string;
  reversible: boolean;
  /** What taking it back does, as the title says what doing it does. */
  back?: string;
  /** It runs by itself some time after the proof, unless somebody cancels it. */
  soak?: true;
  /** What the on-call would type instead, one command a line. */
  kubectl: string[];
  /** The same as patches that can be committed, one for each workload that is kept in Git. */
  forGit?: string[];
  /** Done, it gives this in place of what leaked. */
  gives?: Heir;
}

export interface Plan {
  steps: Step[];
  /** Things that must be done by hand or cannot be done, with the reason; shown under the plan. */
  notes: string[];
  /** Identifies all steps: an approval binds to it. */
  hash: string;
  /** Identifies the containment steps alone: "Quarantine now" binds to it. Empty string where there are none. */
  containHash: string;
}

/** What a step gives in place of what leaked. */
export interface Heir {
  namespace: string;
  serviceAccount: string;
  /** That hold a long-lived token of it. */
  secrets: string[];
}
