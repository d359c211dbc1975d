// What an undo or a roll-back is about to do, step by step, for the form that asks for a reason.
import type { Verb } from '../../domain/incident/decision.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { rollBackSteps } from '../../domain/incident/new-run.ts';
import { backTitle, undoable } from '../../domain/incident/runs.ts';
import { kills } from '../../domain/plan/plan.ts';
import { strong, type Text } from '../../domain/text/pieces.ts';
import { some } from '../pieces/counted.ts';
import { plain } from '../pieces/plain.ts';

const SHOWN = 8;

/** Empty where it does no more than to lift quarantines, or does not take anything back. */
export function backLines(incident: Incident, verb: Verb): Text[] {
  if (verb !== 'undo' && verb !== 'roll-back') return [];
  const steps = verb === 'undo' ? undoable(incident) : rollBackSteps(incident);
  if (steps.every(({ phase }) => phase === 'contain')) return [];
  const lines = steps.map((step, index) => `${index + 1}. ${plain(backTitle(step), 250)}`);
  return [
    ...some(lines, SHOWN),
    'Each begins when the one before it is done. Where one is not, the rest stays as it is, and the card says why.',
    steps.some(kills)
      ? [strong`The leaked token works again once the first is done, for everybody who has it.`]
      : [strong`The leaked token goes on working.`],
  ];
}
