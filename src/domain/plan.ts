// The exact steps proposed, and the hash that a person's click binds to.

/** Steps run in this order. */
export const PHASES = ['contain', 'replace', 'roll-out', 'revoke', 'harden'] as const;
export type Phase = (typeof PHASES)[number];

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
  /** What the on-call would type instead, one command a line. */
  kubectl: string[];
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
