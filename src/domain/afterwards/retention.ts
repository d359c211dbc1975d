// Which incidents may be forgotten: closed long ago, with nothing left to do about them. Pure.
import { openReviews } from '../incident/asked.ts';
import type { Incident } from '../incident/incident.ts';
import { isBleeding, openRun } from '../incident/runs.ts';

/** Undefined: it may be purged. `owed`: kinds of work that are owed, now or later. */
export function whyKept(
  incident: Incident,
  owed: readonly string[],
  before: number,
  now: number,
): string | undefined {
  const { closed, tokenHeld } = incident;
  if (closed === undefined) return 'it is open';
  if (Date.parse(closed.at) >= before) return 'it was closed too lately';
  if (openRun(incident)) return 'something of it is still running';
  if (openReviews(incident).length > 0) return 'the review of its broken glass is open';
  if (tokenHeld) return 'its sealed token was not destroyed yet';
  if (owed.length > 0) return `work is owed to it: ${owed.join(', ')}`;
  if (isLive(incident, now)) return 'its token may still work';
  return undefined;
}

/** A false alarm's token is no leaked one: it belongs to whoever uses it. So does that of a calm rotation. */
function isLive(incident: Incident, now: number): boolean {
  const { closed, identity, goal } = incident;
  if (identity?.expiresAt !== undefined && identity.expiresAt * 1000 <= now) return false;
  if (closed?.as === 'false-alarm') return false;
  return isBleeding(incident) && (incident.liveAgain || goal.do === 'revoke');
}
