// Why a Secret is not deleted now: somebody would bring its token back, or uses it of whom nobody knew.
import type { StepTools } from '../../contracts/action.ts';
import { INVALID_SINCE } from '../../domain/kubernetes/legacy-token-labels.ts';
import { type Owner, ownersOf } from '../../domain/kubernetes/managed-by.ts';
import { standing } from '../../domain/kubernetes/still-there.ts';
import { type Outcome, untouched } from '../../domain/outcome.ts';
import { bringsBack, ownerName, ownerTodo } from '../../domain/plan/drift.ts';
import { isAppError } from '../../errors.ts';
import type { ClusterView, KubernetesObject } from '../../ports/cluster.ts';
import { some, usersNow } from './users.ts';

export interface Doomed {
  namespace: string;
  secret: string;
  holds: 'legacy' | 'bound';
  /** Workloads that will lose it, as whoever approved was told. Absent: nothing may use it any more. */
  usedBy?: string[];
  /** Tools that make it again later, of which whoever approved was told: nothing else switches it off here. */
  despite?: string[];
}

/** Undefined: nothing speaks against it. */
export async function heldBack(
  tools: StepTools,
  doomed: Doomed,
  found: KubernetesObject,
): Promise<Outcome | undefined> {
  const { namespace, secret, holds, despite = [] } = doomed;
  // What names the UID of the Secret dies with it, whoever makes another.
  const owners = holds === 'legacy' ? await ownersNow(tools.cluster, namespace, found) : [];
  const unknownOf = owners.filter(({ tool }) => !despite.includes(tool));
  if (unknownOf.length > 0) return broughtBack(tools.cluster.name, doomed, unknownOf);
  const users = await unexpected(tools, doomed, found);
  if (users.length === 0) return undefined;
  return untouched(
    `Secret ${namespace}/${secret} is used by ${some(users)} now. It was not deleted: point ${users.length > 1 ? 'these' : 'that'} at another first, also where it is kept in Git, or it would not start again.`,
  );
}

function broughtBack(cluster: string, { namespace, secret }: Doomed, owners: readonly Owner[]): Outcome {
  const kubectl = `kubectl --context ${cluster} -n ${namespace}`;
  const todo = owners.map((owner) => ownerTodo(owner, secret, kubectl)).join('; and ');
  return untouched(
    `Secret ${namespace}/${secret} was not deleted: ${owners.map(bringsBack).join('; ')}. First: ${todo}.`,
    { owners: owners.map(ownerName).join(', ') },
  );
}

/** Throws AppError where that must be tried again; what may never be read is believed to be there. */
const ownersNow = (
  cluster: ClusterView,
  namespace: string,
  { metadata }: KubernetesObject,
): Promise<Owner[]> =>
  standing(ownersOf(metadata), namespace, (query) =>
    cluster.list(query).catch((error: unknown) => {
      if (!isAppError(error, 'not-found', 'forbidden')) throw error;
      return undefined;
    }),
  );

async function unexpected(
  tools: StepTools,
  { namespace, secret, usedBy }: Doomed,
  { metadata }: KubernetesObject,
): Promise<string[]> {
  const stake = { serviceAccount: '', secrets: [secret] };
  if (usedBy === undefined) return await usersNow(tools, namespace, stake);
  // Approved as a kill, and the token still works: whom it meets was on the card, and a list that fails must not save it.
  const kill = metadata.labels?.[INVALID_SINCE] === undefined;
  const users = await usersNow(tools, namespace, stake, 'ignore').catch((error: unknown) => {
    if (!kill || !isAppError(error)) throw error;
    return [];
  });
  // A Pod without an owner that runs already needs the Secret no more.
  return users.filter((user) => !usedBy.includes(user) && !user.startsWith('Pod/'));
}
