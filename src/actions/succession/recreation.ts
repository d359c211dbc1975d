// When a ServiceAccount is re-created in place; what comes back after it is proposed under the same conditions. Pure.
import type { Proposal } from '../../contracts/action.ts';
import { killsEveryToken } from '../../domain/plan/goal.ts';
import type { Situation } from '../../domain/situation/situation.ts';

type Existing = NonNullable<Situation['serviceAccount']>;

/** Undefined: it is not. */
export function recreated({ identity, situation, approach }: Proposal): Existing | undefined {
  const existing = situation.serviceAccount;
  if (approach === 'new-service-account' || !killsEveryToken(approach, identity)) return undefined;
  if (situation.liveness.alive === 'dead') return undefined;
  // A finalizer would keep the old UID alive and make re-creation impossible; the warnings say so.
  if (existing === null || existing.finalizers.length > 0) return undefined;
  return existing;
}
