// What `tourniquet plan` found out.
import type { Goal } from '../../domain/plan/goal.ts';
import type { Plan } from '../../domain/plan/plan.ts';
import type { Situation } from '../../domain/situation/situation.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';

export type Answer =
  | { unidentified: string; near: string[]; problems: string[] }
  | {
      goal: Goal;
      identity: TokenIdentity;
      situations: Situation[];
      plan: Plan;
      /** Clusters that could not be used at all. */
      problems: string[];
    };
