// What was done and still holds the token: seen anew with each plan, and proven anew where a later run took the proof with it.
import type { Incident } from './incident.ts';
import { isDone, killsOf, pendingSteps, sameStep, takesBack } from './runs.ts';
import { isVoid } from './sightings.ts';

/** A plan proposes only what the cluster does not show: what it proposes again, somebody has taken back. */
export function overtake({ runs, plan }: Incident, at: string): void {
  const states = runs.filter((run) => isDone(run) && !takesBack(run)).flatMap(({ steps }) => steps);
  for (const state of states.filter(({ step }) => step.reversible))
    if (plan?.steps.some((step) => sameStep(step, state.step))) state.lost ??= at;
}

/** Something that was done refuses this token, not one that it was about before, and nothing else is to be done from here. */
const isHeld = (incident: Incident): boolean =>
  incident.plan !== undefined &&
  !isVoid(incident) &&
  pendingSteps(incident).length === 0 &&
  (incident.identity?.clusters ?? []).some((cluster) => killsOf(incident, cluster).length > 0);

export function proveWhatHolds(incident: Incident, at: string): void {
  if (isHeld(incident)) incident.proof ??= { killedAt: at, rounds: [] };
}
