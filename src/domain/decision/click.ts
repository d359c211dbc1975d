// Who presses what: a person, the button as it was drawn, and why a press may not count.
import type { Verb } from '../incident/decision.ts';
import type { Strategy } from '../plan/goal.ts';
import type { Policy } from '../rules/policy.ts';
import type { Text } from '../text/pieces.ts';
import type { Coordinates } from '../token/identity.ts';

export interface Person {
  /** Slack user id. */
  id: string;
  teamId: string;
  guest: boolean;
  bot: boolean;
  deactivated: boolean;
  /** Of the user groups that the policy names, those that the person is in now. */
  groups?: string[];
}

export interface Click {
  verb: Verb;
  by: Person;
  /** The plan's hash, or the containment's for `contain` and `undo`, as the button carried it. */
  hash?: string;
  reason?: string;
  /** One press for many incidents. */
  together?: true;
  /** choose. */
  strategy?: Strategy;
  /** identify: what the form said. */
  at?: Coordinates;
}

export type RefusalCode =
  | 'foreign-user'
  | 'not-allowed'
  | 'self-approval'
  | 'already-voted'
  | 'already-decided'
  | 'plan-changed'
  | 'plan-expired'
  | 'nothing-to-do'
  | 'policy-forbids'
  | 'closed'
  | 'reason-missing'
  | 'unknown-incident';

export interface Refusal {
  code: RefusalCode;
  /** Why, and who can or what to do. */
  message: Text;
}

export interface Roster {
  policy: Policy;
  /** The workspace that people must belong to. */
  teamId: string;
}
