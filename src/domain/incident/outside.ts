// Who uses a token where Tourniquet does not act: after its end a person says that they were moved, or that there are none.

import { copiesAtStake } from '../plan/copies-at-stake.ts';
import { approachOf } from '../plan/goal.ts';
import type { CopyFact } from '../situation/situation.ts';
import type { Incident } from './incident.ts';

/** Where people are to look. */
export const OUTSIDE = 'CI systems, kubeconfigs on laptops, external services, copies in other Secrets';

/** Copies that were found and die with the token: whoever uses them stops working. One that was dead before is nobody's loss. */
export function copiesToMove({
  goal,
  identity,
  situations,
}: Pick<Incident, 'goal' | 'identity' | 'situations'>): (CopyFact & { cluster: string })[] {
  if (identity === undefined) return [];
  const approach = approachOf(goal, identity, situations);
  return situations
    .filter(({ liveness }) => liveness.alive !== 'dead')
    .flatMap((situation) =>
      copiesAtStake(approach, identity, situation).map((copy) => ({ ...copy, cluster: situation.cluster })),
    );
}

/** A Pod's own token is used by that Pod, unless somebody copied it. */
export function owesOutside(incident: Incident): boolean {
  const { goal, identity, proof, outside, closed } = incident;
  if (identity === undefined || proof?.outcome?.verdict !== 'done') return false;
  if (outside !== undefined || closed !== undefined) return false;
  const isHidden = goal.do === 'rotate' && identity.kind !== 'pod-bound';
  return isHidden || copiesToMove(incident).length > 0;
}
