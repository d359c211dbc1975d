// What a press must be about to count: the plan, the containment or the run that the button was drawn for.
import type { Verb } from '../incident/decision.ts';
import { goesOn } from '../incident/going-on.ts';
import type { Incident } from '../incident/incident.ts';
import { stoppedRun } from '../incident/runs.ts';
import { unasked } from '../incident/sightings.ts';

/** What a button must carry to still mean what it meant when it was drawn. */
export function bindsTo(incident: Incident, verb: Verb): string | undefined {
  if (goesOn(verb)) return stoppedRun(incident)?.id;
  if (verb === 'leave-out') return unasked(incident).join('+').slice(0, 190);
  return verb === 'contain' || verb === 'undo' ? incident.plan?.containHash : incident.plan?.hash;
}

export const UNBOUND: readonly Verb[] = [
  'not-a-leak',
  'undo',
  'identify',
  'choose',
  'withdraw',
  'review',
  'outside',
];
