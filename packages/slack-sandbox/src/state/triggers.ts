// Issues trigger ids: each opens one view, within three seconds.
import { randomBytes, randomInt } from 'node:crypto';
import { SlackError } from '../slack-error.ts';

const LIFETIME_MS = 3000;

export interface Triggers {
  issue(user: string): string;
  /** Returns the person who may now be shown a view. */
  redeem(triggerId: unknown): string;
}

export function createTriggers(now: () => number): Triggers {
  const issued = new Map<string, { user: string; at: number; isUsed: boolean }>();
  return {
    issue(user) {
      const id = `${randomInt(1e12)}.${randomInt(1e12)}.${randomBytes(16).toString('hex')}`;
      issued.set(id, { user, at: now(), isUsed: false });
      return id;
    },
    redeem(triggerId) {
      const trigger = typeof triggerId === 'string' ? issued.get(triggerId) : undefined;
      if (!trigger) throw new SlackError('invalid_trigger_id');
      if (trigger.isUsed) throw new SlackError('exchanged_trigger_id');
      if (now() - trigger.at > LIFETIME_MS) throw new SlackError('expired_trigger_id');
      trigger.isUsed = true;
      return trigger.user;
    },
  };
}
