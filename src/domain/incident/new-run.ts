// Which run a decision starts, and what its steps remember from the time before.

import type { Step } from '../plan/plan.ts';
import type { Decision, Verb } from './decision.ts';
import type { Incident, Run, StepState } from './incident.ts';
import { begunSteps, inEffect, latestState, staysForGood, stoppedRun, takesBack, undoable } from './runs.ts';

export function newRun(id: string, kind: Run['kind'], by: string, at: string, steps: Step[]): Run {
  return { id, kind, by, at, steps: steps.map((step) => ({ step, attempts: 0 })), votes: [] };
}

/** Undefined: this decision starts nothing. */
export function runOf(
  incident: Incident,
  { verb, by, half }: Pick<Decision, 'verb' | 'by' | 'half'>,
  at: string,
  v: number,
): Run | undefined {
  const steps = incident.plan?.steps ?? [];
  const start = (kind: Run['kind'], chosen: Step[]) => newRun(`${verbName(verb)}-${v}`, kind, by, at, chosen);
  const again = (kind: Run['kind'], states: StepState[]): Run => ({ ...start(kind, []), steps: states });
  const back = (kind: Run['kind'], chosen: Step[]): Run => ({
    ...again(kind, remembering(incident, chosen)),
    ...(half && { half }),
  });
  switch (verb) {
    case 'contain':
      return start(
        'contain',
        steps.filter(({ phase }) => phase === 'contain'),
      );
    case 'approve':
    case 'break-glass': {
      const left = steps.filter((step) => !inEffect(incident, step));
      const now = incident.soakCancelled ? [] : left.filter((step) => !step.soak);
      // Where nothing else is left, the deletion itself is what was approved.
      return start('plan', now.length > 0 ? now : left);
    }
    case 'undo':
      return back('undo', undoable(incident, half ? begunSteps(incident) : []));
    case 'roll-back': {
      const { steps: held = [] } = stoppedRun(incident) ?? {};
      const isOf = ({ action, id }: Step) =>
        held.some(({ step }) => step.id === id && step.action === action);
      const begun = begunSteps(incident).filter((step) => half || isOf(step));
      return back('roll-back', rollBackSteps(incident, begun));
    }
    case 'retry':
    case 'skip': {
      const stopped = stoppedRun(incident);
      if (stopped === undefined) return undefined;
      return {
        ...again(stopped.kind, leftOf(stopped, verb === 'skip')),
        ...(stopped.half && { half: true }),
      };
    }
    default:
      return undefined;
  }
}

const verbName = (verb: Verb): string => (verb === 'approve' || verb === 'break-glass' ? 'plan' : verb);

/** Steps of several plans may bear one id, by which the states of a run are told apart. */
function remembering(incident: Incident, steps: readonly Step[]): StepState[] {
  return steps.map((step, index) => {
    const namesakes = steps.slice(0, index).filter(({ id }) => id === step.id).length;
    const memory = latestState(incident, step)?.memory;
    const named = namesakes > 0 ? { ...step, id: `${step.id}-of-${namesakes + 1}` } : step;
    return { step: named, attempts: 0, ...(memory ? { memory } : {}) };
  });
}

/** What is not done yet, with what it knew; where told so, each step goes on without what holds it up. */
function leftOf(run: Run, skip: boolean): StepState[] {
  const left = run.steps.filter(({ outcome }) => outcome?.verdict !== 'done');
  return left.map(({ step, memory }) => {
    const { blocked = [], ...kept } = memory ?? {};
    const skipped = [...new Set([...(kept.skipped ?? []), ...blocked])];
    const after = skip && skipped.length > 0 ? { ...kept, skipped } : kept;
    return { step, attempts: 0, ...(Object.keys(after).length > 0 ? { memory: after } : {}) };
  });
}

/** What the run that stopped waits for in vain; empty where there is nothing that could be skipped. */
export function blockedIn(incident: Incident): string[] {
  const left = stoppedRun(incident)?.steps.filter(({ outcome }) => outcome?.verdict !== 'done') ?? [];
  return [...new Set(left.flatMap(({ memory }) => memory?.blocked ?? []))];
}

/**
 * What was done since the plan was approved, and the step that stopped half-way. Nothing, once something was done that
 * stays for good, or may have been; containment is undone by its own button.
 */
export function rollBackSteps(incident: Incident, begun = begunSteps(incident)): Step[] {
  const stopped = stoppedRun(incident);
  if (stopped === undefined || takesBack(stopped) || begun.some(staysForGood)) return [];
  return undoable(incident, begun).filter(({ phase }) => phase !== 'contain');
}
