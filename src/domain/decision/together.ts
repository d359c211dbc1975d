// Incidents that ask people for the same thing, so that one look and one press can be enough, where the policy says so. Pure.
import { createHash } from 'node:crypto';
import type { Incident } from '../incident/incident.ts';
import { offers } from '../incident/offers.ts';
import { pendingSteps } from '../incident/runs.ts';
import type { Step } from '../plan/plan.ts';
import type { Policy } from '../rules/policy.ts';
import { bindsTo } from './binds-to.ts';
import { asksFor } from './needed.ts';

export interface Sameness {
  /** Equal for incidents that ask for the same actions under the same rules. */
  key: string;
  verb: 'contain' | 'approve';
  /** Of this incident alone: what a press binds to. */
  hash: string;
  steps: Step[];
}

/** Undefined: nothing is asked of people, or the policy wants it approved by itself. */
export function sameness(incident: Incident, policy: Policy): Sameness | undefined {
  const offered = offers(incident);
  for (const verb of ['contain', 'approve'] as const) {
    const hash = bindsTo(incident, verb);
    if (!offered.includes(verb) || !hash) continue;
    const asks = asksFor(incident, verb, policy);
    if (asks.length === 0 || asks.some(({ group }) => !group)) continue;
    const pending = pendingSteps(incident);
    const steps = verb === 'contain' ? pending.filter(({ phase }) => phase === 'contain') : pending;
    const same = [verb, incident.goal.do, asks, steps.map(({ action }) => action)];
    const key = createHash('sha256').update(JSON.stringify(same)).digest('hex').slice(0, 12);
    return { key, verb, hash, steps };
  }
  return undefined;
}
