// The state of an incident as a fold begins with it, and a copy that the fold may change without changing the one before. Pure.
import type { Incident } from './incident.ts';

export function initialState(id: string, openedAt: string): Incident {
  return {
    id,
    version: 0,
    openedAt,
    updatedAt: openedAt,
    status: 'detected',
    goal: { do: 'revoke' },
    alerts: [],
    updates: [],
    tokenHeld: false,
    beliefs: {},
    leftOut: [],
    situations: [],
    decisions: [],
    votes: [],
    reminders: 0,
    unanswered: 0,
    reviews: [],
    alsoAsked: [],
    alarms: [],
    escalated: [],
    runs: [],
    rechecks: [],
    collected: [],
    liveAgain: false,
    stale: true,
    troubles: {},
  };
}

/** Copies what events change in place; what they only replace, and what they themselves brought, is shared. */
export function copyOf(state: Incident): Incident {
  const { proof, looks, runs, reviews } = state;
  return {
    ...state,
    alerts: [...state.alerts],
    updates: [...state.updates],
    beliefs: { ...state.beliefs },
    leftOut: [...state.leftOut],
    decisions: [...state.decisions],
    reviews: reviews.map((review) => ({ ...review })),
    alsoAsked: [...state.alsoAsked],
    alarms: [...state.alarms],
    escalated: [...state.escalated],
    runs: runs.map((run) => ({ ...run, steps: run.steps.map((step) => ({ ...step })) })),
    rechecks: [...state.rechecks],
    collected: [...state.collected],
    troubles: { ...state.troubles },
    ...(proof && { proof: { ...proof, rounds: [...proof.rounds] } }),
    ...(looks && { looks: { ...looks } }),
  };
}
