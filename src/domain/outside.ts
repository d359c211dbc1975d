// Who uses a token outside the cluster cannot be seen: after a rotation a person says that they were moved, or that there are none.
import type { Incident } from './incident.ts';

/** Where people are to look. */
export const OUTSIDE = 'CI systems, kubeconfigs on laptops, external services, copies in other Secrets';

/** A Pod's own token is used by that Pod. */
export const owesOutside = ({ goal, identity, proof, outside, closed }: Incident): boolean =>
  goal.do === 'rotate' &&
  identity !== undefined &&
  identity.kind !== 'pod-bound' &&
  proof?.outcome?.verdict === 'done' &&
  outside === undefined &&
  closed === undefined;
