// What users outside the cluster may take new tokens of: what a step that is in effect has put in the place of the leaked one.
import { describe, expect, it } from 'vitest';
import { actions } from '../../../src/actions/index.ts';
import { handOvers } from '../../../src/domain/afterwards/hand-over.ts';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import type { Incident } from '../../../src/domain/incident/incident.ts';
import { done } from '../../../src/domain/outcome.ts';
import type { Strategy } from '../../../src/domain/plan/goal.ts';
import { planFor } from '../../../src/domain/plan/planner.ts';
import { anIdentity, anIncident, aSituation, reported, T0 } from '../../builders.ts';

const used = { ...aSituation().tokenSecrets[0], used: true } as never;
const situation = aSituation({
  tokenSecrets: [used],
  bindings: [],
  access: { worker: 'worker', rights: [], namesakes: [], made: [] },
});

/** So many steps of its plan were done. */
function rotated(strategy: Strategy, most = 9, ...after: EventBody[]): Incident {
  const plan = planFor({ do: 'rotate', strategy }, anIdentity(), [situation], actions, T0);
  const ran = plan.steps.slice(0, most).flatMap(({ id: step }): EventBody[] => [
    { type: 'step-started', run: 'plan-5', step, attempt: 1 },
    { type: 'step-ended', run: 'plan-5', step, outcome: done('It is done.') },
  ]);
  return anIncident([
    reported('UMAYA00001'),
    { type: 'identified', identity: anIdentity() },
    { type: 'situation-observed', situations: [situation] },
    { type: 'plan-proposed', plan },
    { type: 'decided', decision: { verb: 'approve', by: 'UINES00001', hash: plan.hash } },
    ...ran,
    ...after,
  ]);
}

const at = { cluster: 'prod', namespace: 'payments' };

describe('what is handed over', () => {
  it.each<[Strategy, object]>([
    ['new-secret', { ...at, serviceAccount: 'api', secrets: ['api-token-r20261124'] }],
    ['new-service-account', { ...at, serviceAccount: 'api-r20261124', secrets: ['api-token-r20261124'] }],
    ['recreate', { ...at, serviceAccount: 'api', secrets: ['api-token'] }],
  ])('after %s', (strategy, expected) => {
    expect(handOvers(rotated(strategy))).toEqual([expected]);
  });

  it('is nothing before a step was done, and after it was taken back', () => {
    expect(handOvers(anIncident([reported()]))).toEqual([]);
    expect(handOvers(rotated('new-secret', 0))).toEqual([]);
    const made = rotated('new-secret', 1);
    expect(handOvers(made)).toHaveLength(1);
    const back = rotated(
      'new-secret',
      1,
      { type: 'run-stopped', run: 'plan-5', reason: 'a wave is not Ready' },
      { type: 'decided', decision: { verb: 'roll-back', by: 'UINES00001' } },
      {
        type: 'step-ended',
        run: 'roll-back-9',
        step: made.plan?.steps[0]?.id ?? '',
        outcome: done('The new Secret is deleted.'),
      },
    );
    expect(back.runs.at(-1)).toMatchObject({ id: 'roll-back-9', steps: [{ outcome: { verdict: 'done' } }] });
    expect(handOvers(back)).toEqual([]);
  });
});

it('an event that only a newer version knows changes nothing else', () => {
  const known = rotated('new-secret');
  const unknown = { type: 'invented-tomorrow' } as unknown as EventBody;
  const { version, updatedAt, ...rest } = rotated('new-secret', 9, unknown);
  expect({ ...known, ...rest, version: version - 1 }).toEqual({ ...known });
  expect(updatedAt > known.updatedAt).toBe(true);
});
