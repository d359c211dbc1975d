// Whatever was done, in whichever order, and wherever it stopped: taking it back leaves nobody without a token that is accepted.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Verb } from '../../../src/domain/incident/decision.ts';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import type { Run } from '../../../src/domain/incident/incident.ts';
import { rollBackSteps } from '../../../src/domain/incident/new-run.ts';
import { inEffect, stepsInEffect, takesBack, undoable } from '../../../src/domain/incident/runs.ts';
import { done, notDone } from '../../../src/domain/outcome.ts';
import type { Phase, Step } from '../../../src/domain/plan/plan.ts';
import { anIncident, aPlan, identified, observed, quarantine, remove, reported } from '../../builders.ts';

const step = (action: string, phase: Phase, reversible = true): Step => ({
  ...remove,
  id: `${action}-1`,
  action,
  phase,
  reversible,
  params: { of: action },
});
const make = step('replace-token-secret', 'replace');
const move = step('repoint-workloads', 'roll-out');
const switchOff = step('quarantine-token', 'revoke');
const removal: Step = { ...step('delete-token-secret', 'revoke', false), soak: true };
const ROTATION = [make, move, switchOff, removal];

const decided = (verb: Verb): EventBody => ({
  type: 'decided',
  decision: { verb, by: 'UINES00001', half: true },
});
/** A plan proposes only what the cluster does not show. */
const proposed = (log: readonly EventBody[]): EventBody => {
  const incident = anIncident([...log]);
  return { type: 'plan-proposed', plan: aPlan(ROTATION.filter((one) => !inEffect(incident, one))) };
};
const opening = [reported(), identified, observed];

/** Two workloads, of which a roll-out that stops has moved one. */
interface World {
  old: boolean;
  fresh: boolean;
  uses: ('old' | 'fresh')[];
}

/** False: it refuses, because whom it moves would get a token that nobody accepts. */
function carryOut(world: World, { action, phase }: Step, back: boolean, whole: boolean): boolean {
  if (phase === 'replace') {
    world.fresh = !back;
  } else if (phase === 'roll-out') {
    if (!(back ? world.old : world.fresh)) return false;
    const to = back ? 'old' : 'fresh';
    world.uses = whole ? [to, to] : [to, world.uses[1] ?? 'old'];
  } else if (action !== 'delete-token-secret') world.old = back;
  return true;
}

const isServed = (world: World): boolean[] => world.uses.map((use) => world[use]);

interface Press {
  verb: Verb;
  /** So many steps are done; the next one stops half-way, where there is one. */
  steps: number;
}

/** Presses what can be pressed, and answers the log and how each workload fared from step to step. */
function play(contained: boolean, presses: readonly Press[]) {
  const log: EventBody[] = [...opening];
  const world: World = { old: !contained, fresh: false, uses: ['old', 'old'] };
  const lost: string[] = [];
  if (contained)
    log.push(
      { type: 'auto-contained', steps: [quarantine], rule: 'default' },
      { type: 'step-started', run: 'contain-4', step: quarantine.id, attempt: 1 },
      { type: 'step-ended', run: 'contain-4', step: quarantine.id, outcome: done('The label is set.') },
    );
  for (const { verb, steps } of presses) {
    if (verb === 'approve') log.push(proposed(log));
    const before = anIncident(log);
    log.push(decided(verb));
    const incident = anIncident(log);
    const run = incident.runs.at(-1);
    if (run === undefined || incident.runs.length === before.runs.length || run.steps.length === 0) {
      log.pop();
      continue;
    }
    log.push(...runEvents(world, run, steps, lost));
  }
  return { log, incident: anIncident(log), world, lost };
}

function runEvents(world: World, run: Run, steps: number, lost: string[]): EventBody[] {
  const events: EventBody[] = [];
  for (const [index, { step: one }] of run.steps.entries()) {
    const whole = index < steps;
    const before = isServed(world);
    const taken = carryOut(world, one, takesBack(run), whole);
    const after = isServed(world);
    // Switching off is what a rotation is for, once nobody is left on the old; everything else takes nothing from anybody.
    for (const [at, served] of before.entries())
      if (served && !after[at]) lost.push(`${run.kind}: ${one.action}`);
    events.push({ type: 'step-started', run: run.id, step: one.id, attempt: 1 });
    if (whole && taken) {
      events.push({ type: 'step-ended', run: run.id, step: one.id, outcome: done('Done.') });
      continue;
    }
    events.push(
      { type: 'step-ended', run: run.id, step: one.id, outcome: notDone('It is stuck.') },
      { type: 'run-stopped', run: run.id, reason: 'It is stuck.' },
    );
    break;
  }
  return events;
}

const press = (...verbs: Verb[]) =>
  fc.record<Press>({ verb: fc.constantFrom(...verbs), steps: fc.integer({ min: 0, max: 4 }) });
const actions = (steps: readonly Step[]): string[] => steps.map(({ action }) => action);

describe('what is taken back', () => {
  it('leaves everybody with a token that is accepted, at every step, wherever the run and its undo stopped', () => {
    const presses = fc.array(press('approve', 'retry', 'undo', 'roll-back'), { maxLength: 8 });
    fc.assert(
      fc.property(fc.boolean(), presses, (contained, pressed) => {
        const { lost, incident } = play(contained, [{ verb: 'approve', steps: 3 }, ...pressed]);
        expect(lost).toEqual([]);
        const once = undoable(incident).map(({ action, params }) => JSON.stringify([action, params]));
        expect(new Set(once).size).toBe(once.length);
        for (const { steps } of incident.runs)
          expect(new Set(steps.map(({ step: one }) => one.id)).size).toBe(steps.length);
      }),
      { numRuns: 2000 },
    );
  });

  it('ends where it began: nothing of the rotation is left, and nothing is offered any more', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.integer({ min: 1, max: 3 }), (contained, steps) => {
        const { incident, world } = play(contained, [
          { verb: 'approve', steps },
          { verb: 'undo', steps: 9 },
        ]);
        expect(world).toEqual({ old: true, fresh: false, uses: ['old', 'old'] });
        expect([stepsInEffect(incident), undoable(incident), rollBackSteps(incident)]).toEqual([[], [], []]);
      }),
    );
  });

  it.each<[string, Press[], boolean, string[]]>([
    ['of a rotation', [{ verb: 'approve', steps: 3 }], false, actions([switchOff, move, make])],
    ['of a roll-out that stopped', [{ verb: 'approve', steps: 1 }], false, actions([move, make])],
    [
      'of a rotation after a quarantine, which must go first although it is the oldest',
      [{ verb: 'approve', steps: 2 }],
      true,
      actions([switchOff, quarantine, move, make]),
    ],
    [
      'of what an undo has left when it stopped',
      [
        { verb: 'approve', steps: 3 },
        { verb: 'undo', steps: 1 },
      ],
      false,
      actions([move, make]),
    ],
    [
      'of what was taken up again',
      [
        { verb: 'approve', steps: 1 },
        { verb: 'retry', steps: 2 },
      ],
      false,
      actions([switchOff, move, make]),
    ],
  ])('%s is in this order', (_what, presses, contained, wanted) => {
    expect(actions(undoable(play(contained, presses).incident))).toEqual(wanted);
  });

  it('is in a log of an older version what that version took back', () => {
    const { log } = play(false, [{ verb: 'approve', steps: 1 }]);
    const older: EventBody = { type: 'decided', decision: { verb: 'undo', by: 'UINES00001' } };
    const steps = (event: EventBody) =>
      anIncident([...log, event])
        .runs.at(-1)
        ?.steps.map(({ step: one }) => one);
    expect(actions(steps(older) ?? [])).toEqual(actions([make]));
    expect(actions(steps(decided('undo')) ?? [])).toEqual(actions([move, make]));
  });

  it('is nothing once the old one is deleted', () => {
    const { log } = play(false, [{ verb: 'approve', steps: 3 }]);
    const waiting = anIncident([...log, { type: 'soaked' }]);
    expect(actions(undoable(waiting))).toEqual(actions([switchOff, move, make]));
    const run = waiting.runs.at(-1)?.id ?? '';
    const deleted = anIncident([
      ...log,
      { type: 'soaked' },
      { type: 'step-started', run, step: removal.id, attempt: 1 },
      { type: 'step-ended', run, step: removal.id, outcome: done('The Secret is deleted.') },
    ]);
    expect(stepsInEffect(deleted)).toHaveLength(4);
    expect(undoable(deleted)).toEqual([]);
  });
});
