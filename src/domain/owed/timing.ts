// In which time what is owed, and what owing something means.
import type { EscalationTiming } from '../incident/alarms.ts';
import type { Incident, WorkKind } from '../incident/incident.ts';

/**
 * So much before its time work may come and is done: two clocks never agree to the millisecond, and who sent it away would
 * leave it to the sweeper.
 */
export const EARLY_MS = 250;

/** Milliseconds everywhere; see config-schema.ts. */
export interface Timing {
  approvalExpiry: number;
  stability: number;
  retryEvery: number;
  /** Looks after an incident was closed, counted from there. */
  recheckAfter: number[];
  /** Looks at an open incident: counted from the last change, the last one again and again. Absent: DEFAULT_LOOKS. */
  lookAfter?: readonly number[];
  keepTokenFor: number;
  /** Between the proof that the old is off and its deletion. */
  soak: number;
  /** Absent: nobody is called outside Slack. */
  escalation?: EscalationTiming | undefined;
}

export interface Due {
  kind: WorkKind;
  /** Distinguishes this occasion from every other: what is due again gets a new one. */
  occasion: string;
  /** Unix milliseconds. */
  at: number;
}

export interface Reported {
  cursors: Record<string, number>;
  reporters: readonly string[];
}

export type Rule = (
  incident: Incident,
  timing: Timing,
) => (Omit<Due, 'occasion'> & { occasion?: string | number }) | undefined;
