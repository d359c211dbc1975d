// Which run a decision starts, and what its steps remember from the time before.
import type { Incident, Run, StepState, Verb } from './incident.ts';
import { leftAsItWas } from './outcome.ts';
import type { Step } from './plan.ts';
import { inEffect, latestState, staysForGood, stoppedRun, takesBack, undoable } from './runs.ts';

export function newRun(id: string, kind: Run['kind'], by: string, at: string, steps: Step[]): Run {
  return { id, kind, by, at, steps: steps.map((step) => ({ step, attempts: 0 })), votes: [] };
}

/** Undefined: this decision starts nothing. */
export function runOf(incident: Incident, verb: Verb, by: string, at: string, v: number): Run | undefined {
  const steps = incident.plan?.steps ?? [];
  const start = (kind: Run['kind'], chosen: Step[]) => newRun(`${verbName(verb)}-${v}`, kind, by, at, chosen);
  const again = (kind: Run['kind'], states: StepState[]): Run => ({ ...start(kind, []), steps: states });
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
      return again(
        'undo',
        undoable(incident).map((step) => remembering(incident, step)),
      );
    case 'roll-back':
      return again(
        'roll-back',
        rollBackSteps(incident).map((step) => remembering(incident, step)),
      );
    case 'retry':
    case 'skip': {
      const stopped = stoppedRun(incident);
      return stopped && again(stopped.kind, leftOf(stopped, verb === 'skip'));
    }
    default:
      return undefined;
  }
}

const verbName = (verb: Verb): string => (verb === 'approve' || verb === 'break-glass' ? 'plan' : verb);

function remembering(incident: Incident, step: Step): StepState {
  const memory = latestState(incident, step)?.memory;
  return { step, attempts: 0, ...(memory ? { memory } : {}) };
}

/** What is not done yet, with what it knew; the step that is held up goes on without what holds it up, where told so. */
function leftOf(run: Run, skip: boolean): StepState[] {
  const left = run.steps.filter(({ outcome }) => outcome?.verdict !== 'done');
  return left.map(({ step, memory }, index) => {
    const { blocked = [], ...kept } = memory ?? {};
    const skipped = [...new Set([...(kept.skipped ?? []), ...blocked])];
    const after = skip && index === 0 ? { ...kept, skipped } : kept;
    return { step, attempts: 0, ...(Object.keys(after).length > 0 ? { memory: after } : {}) };
  });
}

/** What the run that stopped waits for in vain; empty where there is nothing that could be skipped. */
export function blockedIn(incident: Incident): string[] {
  const held = stoppedRun(incident)?.steps.find(({ outcome }) => outcome?.verdict !== 'done');
  return held?.memory?.blocked ?? [];
}

/**
 * What was done since the plan was approved, newest first, and before it the step that stopped half-way. Nothing, once
 * something was done that stays for good; containment is undone by its own button.
 */
export function rollBackSteps(incident: Incident): Step[] {
  const stopped = stoppedRun(incident);
  if (stopped === undefined || takesBack(stopped)) return [];
  const half = stopped.steps.filter(
    ({ startedAt, outcome }) =>
      startedAt && outcome?.verdict !== 'done' && !(outcome && leftAsItWas(outcome)),
  );
  const whole = incident.runs
    .filter(({ kind }) => kind === 'plan')
    .flatMap(({ steps }) => steps)
    .map(({ step }) => step)
    .filter((step, index, all) => inEffect(incident, step) && all.findLastIndex(same(step)) === index);
  const did = [...half.map(({ step }) => step), ...whole.toReversed()].filter(
    ({ phase }) => phase !== 'contain',
  );
  if (did.some(staysForGood)) return [];
  return did.filter(({ reversible }) => reversible);
}

const same = (step: Step) => (other: Step) => other.id === step.id && other.action === step.action;
