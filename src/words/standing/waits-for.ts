// Whom or what an incident waits for, in few words.

import { neededFor } from '../../domain/decision/needed.ts';
import { openReviews } from '../../domain/incident/asked.ts';
import { planVotes } from '../../domain/incident/going-on.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { owesOutside } from '../../domain/incident/outside.ts';
import { isSoaking, openRun, pendingSteps } from '../../domain/incident/runs.ts';
import { unasked } from '../../domain/incident/sightings.ts';
import type { Policy } from '../../domain/rules/policy.ts';
import { askWords } from './rules.ts';

/** "the worker", "approval by one of approvers, not the reporter": what follows "waits for". */
export function waitsFor(incident: Incident, policy: Policy): string {
  const [review] = openReviews(incident);
  if (review) return `somebody who reviews the break-glass of ${review.by}`;
  if (incident.closed) return 'nobody';
  if (incident.paused) return 'an approver who lets Tourniquet go on: it is paused';
  if (incident.unidentified) return 'a person who says which token it is';
  if (openRun(incident)) return 'the worker';
  if (isSoaking(incident)) return 'the end of the waiting time, unless somebody cancels it';
  if (pendingSteps(incident).length > 0) return approval(incident, policy);
  if (unasked(incident).length > 0)
    return `${unasked(incident).join(', ')}, which could not be asked yet, or an approver who leaves it out`;
  if (owesOutside(incident)) return 'somebody who says whether anything outside the cluster used the token';
  return 'the worker';
}

function approval(incident: Incident, policy: Policy): string {
  const needed = neededFor(incident, 'approve', policy);
  if (needed.kind === 'never')
    return `nobody: the policy never allows "${needed.step.title}" (rule "${needed.rule}")`;
  const votes = planVotes(incident).length;
  const given = votes > 0 ? `, ${votes} given` : '';
  return `approval by ${needed.asks.map((ask) => askWords(policy, ask)).join(' and ')}${given}`;
}
