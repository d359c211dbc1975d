// A leak report as every source normalises it; the token's value, where there is one, travels beside it and never inside.

import type { Goal } from '../plan/goal.ts';
import type { Coordinates } from '../token/identity.ts';

/** What an alert says has leaked. */
export type Subject =
  /** The alert carried the token itself. */
  | { kind: 'token' }
  | { kind: 'coordinates'; at: Coordinates }
  /** GitGuardian's HasMySecretLeaked hash of the secret: hex scrypt, see sources/gitguardian.ts. */
  | { kind: 'hmsl-hash'; hash: string }
  /** Nothing that identifies a token: a person has to say. */
  | { kind: 'unnamed' };

export interface LeakAlert {
  /** Name of the AlertSource, or `slash` for a command. */
  source: string;
  /** The source's own id of the finding; the same id again is the same incident. */
  externalId?: string;
  subject: Subject;
  /** Where it leaked, in the source's words. */
  where?: { text: string; url?: string };
  severity?: 'critical' | 'high' | 'medium' | 'low' | 'info' | 'unknown';
  /** Slack user id of the person who reported it. */
  reporter?: string;
  reason?: string;
  /** What is wanted; absent: that the token is revoked. */
  goal?: Goal;
}

/** Later news of a finding: never opens an incident, is noted on one that exists. */
export interface AlertUpdate {
  source: string;
  externalId: string;
  /** One sentence, for example "GitGuardian: marked resolved". */
  note: string;
}
