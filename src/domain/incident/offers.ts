// Which buttons a card has now.

import { approachOf, isDryRun, type Strategy, strategiesFor } from '../plan/goal.ts';
import { openReviews } from './asked.ts';
import type { Verb } from './decision.ts';
import type { Incident } from './incident.ts';
import { blockedIn, rollBackSteps } from './new-run.ts';
import { owesOutside } from './outside.ts';
import { isSoaking, openRun, pendingSteps, stoppedRun, undoable } from './runs.ts';
import { unasked } from './sightings.ts';

/** Strategies that fit besides the planned one. */
export function otherWays({ goal, identity, situations }: Incident): Strategy[] {
  if (goal.do !== 'rotate' || identity === undefined) return [];
  const planned = approachOf(goal, identity, situations);
  return strategiesFor(identity, situations).filter((strategy) => strategy !== planned);
}

/** A person may end the waiting for a cluster that cannot be asked, once everything else is proven. */
export const mayLeaveOut = (incident: Incident): boolean =>
  !incident.closed && incident.proof?.outcome?.verdict === 'done' && unasked(incident).length > 0;

/** Where a roll-back is offered that takes back the same, one button is enough. */
const undoesMore = (incident: Incident, offered: readonly Verb[]): boolean =>
  undoable(incident).length > (offered.includes('roll-back') ? rollBackSteps(incident).length : 0);

/** What the card offers now, most urgent first. */
export function offers(incident: Incident): Verb[] {
  if (isDryRun(incident.goal)) return [];
  const running = openRun(incident) !== undefined;
  const leaked = incident.goal.do === 'revoke' || incident.fingerprint !== undefined;
  const offered: Verb[] = [];
  const pending = pendingSteps(incident);
  if (!incident.closed && !running) {
    if (pending.some((step) => step.phase === 'contain')) offered.push('contain');
    if (stoppedRun(incident)) offered.push('retry');
    if (blockedIn(incident).length > 0) offered.push('skip');
    if (rollBackSteps(incident).length > 0) offered.push('roll-back');
    if (pending.length > 0) offered.push('approve', 'decline');
    if (pending.length > 0 && otherWays(incident).length > 0) offered.push('choose');
    if (pending.some(({ reversible }) => !reversible)) offered.push('break-glass');
    if (incident.votes.length > 0) offered.push('withdraw');
    if (incident.unidentified || (leaked && incident.identity?.kind === 'every-token'))
      offered.push('identify');
    if (leaked && (incident.identity || incident.unidentified)) offered.push('not-a-leak');
  }
  if (!running && isSoaking(incident)) offered.push('cancel-soak');
  if (!running && undoesMore(incident, offered) && !incident.liveAgain) offered.push('undo');
  if (!running && owesOutside(incident)) offered.push('outside');
  if (!running && mayLeaveOut(incident)) offered.push('leave-out');
  if (openReviews(incident).length > 0) offered.push('review');
  return offered;
}
