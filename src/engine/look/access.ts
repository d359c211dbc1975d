// Asks whether the worker may do what the chosen way needs beyond its roles, before anything is proposed; changes nothing.
import { REPLACES } from '../../domain/kubernetes/own-annotations.ts';
import { resources } from '../../domain/kubernetes/resources.ts';
import { type Approach, approachOf, type Goal } from '../../domain/plan/goal.ts';
import { keyOf, needsRights, rightsFor } from '../../domain/plan/rights.ts';
import { type Succession, successionOf } from '../../domain/plan/succession.ts';
import { couldSucceed } from '../../domain/plan/successor.ts';
import { type BindingLike, bindingPath, gives } from '../../domain/situation/bindings.ts';
import type { AccessFact, Right, RightFact, Situation } from '../../domain/situation/situation.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';
import { isAppError } from '../../errors.ts';
import type { ClusterView, KubernetesObject } from '../../ports/cluster.ts';

/** The same situations, with what is known about rights where the goal's way needs any. */
export async function withAccess(
  clusters: ReadonlyMap<string, ClusterView>,
  goal: Goal,
  identity: TokenIdentity,
  situations: Situation[],
  today: string,
): Promise<Situation[]> {
  const approach = approachOf(goal, identity, situations);
  if (!needsRights(approach)) return situations;
  return await Promise.all(
    situations.map(async (situation) => {
      const cluster = clusters.get(situation.cluster);
      if (cluster === undefined) return situation;
      return { ...situation, access: await readAccess(cluster, approach, identity, situation, today) };
    }),
  );
}

/** Throws AppError where the names that are taken could not be read: a plan would be made for one of them. */
async function readAccess(
  cluster: ClusterView,
  approach: Approach,
  identity: TokenIdentity,
  situation: Situation,
  today: string,
): Promise<AccessFact> {
  const namesakes = approach === 'new-service-account' ? await readNamesakes(cluster, identity) : [];
  const knowing = (made: string[]): Situation => ({
    ...situation,
    access: { worker: '', rights: [], namesakes, made },
  });
  const rights = rightsFor(approach, identity, knowing([]), today);
  const [worker, ...facts] = await Promise.all([
    cluster.self().catch(empty),
    ...rights.map((right) => ask(cluster, right)),
  ]);
  if (approach === 'unbind' || facts.every(({ has }) => has === 'yes'))
    return { worker, rights: facts, namesakes, made: [] };
  const made = await alreadyMade(cluster, identity, successionOf(identity, knowing([]), today));
  const needed = new Set(rightsFor(approach, identity, knowing(made), today).map(keyOf));
  return { worker, rights: facts.filter((fact) => needed.has(keyOf(fact))), namesakes, made };
}

const empty = (error: unknown): string => {
  if (!isAppError(error)) throw error;
  return '';
};

async function readNamesakes(cluster: ClusterView, { namespace, serviceAccount }: TokenIdentity) {
  const all = await cluster.list({ resource: resources.serviceAccounts, namespace, metadataOnly: true });
  return all
    .filter(({ metadata }) => couldSucceed(metadata.name, serviceAccount.name))
    .map(({ metadata: { name, annotations } }) => {
      const replaces = annotations?.[REPLACES];
      return { name, ...(replaces ? { replaces } : {}) };
    });
}

async function ask(cluster: ClusterView, right: Right): Promise<RightFact> {
  try {
    const allowed = await cluster.may({ group: 'rbac.authorization.k8s.io', ...right });
    return { ...right, has: allowed === undefined ? 'unknown' : allowed ? 'yes' : 'no' };
  } catch (error) {
    // What may be answered a moment later is asked again, instead of refusing a plan for it.
    if (!isAppError(error) || error.retry) throw error;
    return { ...right, has: 'unknown' };
  }
}

/** What the worker may not make, a person may have made by hand. */
async function alreadyMade(
  cluster: ClusterView,
  { namespace }: TokenIdentity,
  succession: Succession | undefined,
): Promise<string[]> {
  const { name = '', bindings = [] } = succession ?? {};
  const found = await Promise.all(
    bindings.map(async ({ from, to }) => {
      const { kind, role } = from;
      const resource = kind === 'RoleBinding' ? resources.roleBindings : resources.clusterRoleBindings;
      const where = from.namespace === undefined ? {} : { namespace: from.namespace };
      const fieldSelector = `metadata.name=${to}`;
      const [binding] = await cluster.list<KubernetesObject & BindingLike>({
        resource,
        ...where,
        fieldSelector,
      });
      return binding !== undefined && gives(binding, role, namespace, name)
        ? [bindingPath({ ...from, name: to })]
        : [];
    }),
  );
  return found.flat();
}
