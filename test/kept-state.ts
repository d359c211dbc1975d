// Goes along with a log: the state that is taken further, event by event, must be the one that the whole log makes.
import assert from 'node:assert/strict';
import type { IncidentEvent } from '../src/domain/incident/events.ts';
import { evolve, fold } from '../src/domain/incident/fold.ts';
import type { Incident } from '../src/domain/incident/incident.ts';

/** Throws where it is not, or where taking it further changed the state before. */
export function createKeptState(id: string): (added: readonly IncidentEvent[]) => void {
  const events: IncidentEvent[] = [];
  let state: Incident | undefined;
  return (added) => {
    events.push(...added);
    state = state ? evolve(frozen(state), added) : fold(id, events);
    assert.deepEqual(state, fold(id, events));
  };
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(Object.freeze(value))) frozen(inner);
  return value;
}
