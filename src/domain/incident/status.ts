// What the state of an incident is called. Pure.

import { isDryRun } from '../plan/goal.ts';
import { acceptedOffline } from '../token/offline.ts';
import type { Incident, Status } from './incident.ts';
import { owesOutside } from './outside.ts';
import { openRun, pendingSteps, unplanned } from './runs.ts';
import { isStopped, unasked } from './sightings.ts';

export function statusOf(incident: Incident): Status {
  if (incident.closed) return incident.closed.as;
  const run = openRun(incident);
  if (run && run.kind !== 'contain') return run.steps.some((state) => state.startedAt) ? 'running' : 'queued';
  if (incident.stale) return incident.identity ? 'identified' : 'detected';
  if (incident.unidentified) return 'needs-human';
  const pending = pendingSteps(incident).length > 0;
  if (pending) return isDryRun(incident.goal) ? 'verifying' : 'awaiting-approval';
  // Nothing was to be killed, so there is nothing to prove.
  if (incident.goal.do === 'restart') return incident.plan?.steps.length ? 'verifying' : 'needs-human';
  if (incident.proof?.outcome === undefined) return incident.proof ? 'verifying' : 'needs-human';
  if (incident.proof.outcome.verdict !== 'done') return 'needs-human';
  const owed =
    !isStopped(incident) ||
    unasked(incident).length > 0 ||
    unplanned(incident).length > 0 ||
    acceptedOffline(incident, Date.parse(incident.updatedAt)) ||
    owesOutside(incident);
  return owed ? 'needs-human' : 'verifying';
}
