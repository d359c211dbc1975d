// Which rights a way needs that no worker has by default, whether it has them, and what to tell whoever can grant them. Pure.
import { stringify } from 'yaml';
import { bindingPath } from '../situation/bindings.ts';
import type { BindingFact, Right, RightFact, Situation } from '../situation/situation.ts';
import type { TokenIdentity } from '../token/identity.ts';
import type { Approach } from './goal.ts';
import { successionOf } from './succession.ts';

type Who = Pick<TokenIdentity, 'namespace' | 'serviceAccount'>;

/** For these a worker must be allowed to hand out, or take away, what roles give. */
export const needsRights = (approach: Approach): boolean =>
  approach === 'new-service-account' || approach === 'unbind';

/** Each once. */
export function rightsFor(approach: Approach, who: Who, situation: Situation, today: string): Right[] {
  const all = changesOf(approach, who, situation, today).flatMap(({ binding, name }) =>
    rightsOver(binding, name),
  );
  return [...new Map(all.map((right) => [keyOf(right), right])).values()];
}

/** The bindings that the way makes or deletes, by their names, and the ones that they are about. */
function changesOf(approach: Approach, who: Who, situation: Situation, today: string) {
  if (approach === 'unbind')
    return situation.bindings.filter(({ sole }) => sole).map((binding) => ({ binding, name: binding.name }));
  const { bindings = [] } = successionOf(who, situation, today) ?? {};
  return bindings
    .map(({ from, to }) => ({ binding: from, name: to }))
    .filter(({ binding, name }) => !situation.access?.made.includes(bindingPath({ ...binding, name })));
}

/** To make it and to take that back, or the other way round. Without `bind`, RBAC lets nobody hand out what they do not hold. */
function rightsOver({ kind, namespace, role }: BindingFact, name: string): Right[] {
  const resource = kind === 'RoleBinding' ? 'rolebindings' : 'clusterrolebindings';
  const where = namespace === undefined ? {} : { namespace };
  return [
    { verb: 'create', resource, ...where },
    { verb: 'delete', resource, ...where, name },
    { verb: 'bind', resource: role.kind === 'Role' ? 'roles' : 'clusterroles', ...where, name: role.name },
  ];
}

export const keyOf = ({ verb, resource, namespace = '', name = '' }: Right): string =>
  [verb, resource, namespace, name].join(' ');

/** Half a way is worse than none: either all of it can be done and undone, or none of it is proposed. */
export const hasRights = ({ access, radius }: Situation): boolean =>
  access !== undefined && radius.tier !== 'unknown' && access.rights.every(({ has }) => has === 'yes');

/** For the notes of a plan that does nothing because of them. */
export function rightsNotes(approach: Approach, situation: Situation): string[] {
  const { access, cluster } = situation;
  if (!needsRights(approach) || access === undefined) return [];
  if (situation.radius.tier === 'unknown')
    return [
      `Which bindings name this ServiceAccount on ${cluster} could not be read, so nothing is proposed there. Nothing was changed.`,
    ];
  const missing = access.rights.filter(({ has }) => has !== 'yes');
  if (missing.length === 0) return [];
  const worker = access.worker || 'the worker';
  const byPlace = Map.groupBy(missing, ({ namespace }) => namespace);
  const rules = [...byPlace].map(([namespace, some]) => {
    const where =
      namespace === undefined ? 'by a ClusterRoleBinding' : `by a RoleBinding in namespace ${namespace}`;
    return `To let Tourniquet do it, give ${worker} on ${cluster}, ${where}, a role with these rules: ${flow(rulesFor(some))}`;
  });
  return [`${refusal(approach, missing, cluster)} Nothing was changed.`, ...rules];
}

function refusal(approach: Approach, missing: RightFact[], cluster: string): string {
  const what = approach === 'unbind' ? 'Taking its power away' : 'A new ServiceAccount with the same rights';
  const unsure = missing.every(({ has }) => has === 'unknown');
  return unsure
    ? `${what} is not offered on ${cluster}: whether the worker may do it could not be asked.`
    : `${what} is not offered on ${cluster}: the worker may not make these bindings, or not take them back.`;
}

/** As few as can be, and each for named objects where RBAC knows such a thing. */
function rulesFor(rights: readonly Right[]) {
  const alike = Map.groupBy(rights, ({ verb, resource }) => `${verb} ${resource}`);
  return [...alike.values()].map((some) => {
    const [{ verb, resource }] = some as [Right];
    const resourceNames = some.flatMap(({ name }) => name ?? []).toSorted();
    return {
      apiGroups: ['rbac.authorization.k8s.io'],
      resources: [resource],
      verbs: [verb],
      ...(resourceNames.length > 0 ? { resourceNames } : {}),
    };
  });
}

const flow = (value: unknown): string =>
  stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trim();

/** What a person would type instead. */
export const bindCommand = (
  { kind, namespace, role }: Pick<BindingFact, 'kind' | 'namespace' | 'role'>,
  name: string,
  account: string,
  cluster: string,
): string => {
  const flag = role.kind === 'Role' ? '--role' : '--clusterrole';
  const create = namespace === undefined ? 'create' : `-n ${namespace} create`;
  return `kubectl --context ${cluster} ${create} ${kind.toLowerCase()} ${name} ${flag}=${role.name} --serviceaccount=${account}`;
};

export const unbindCommand = (
  { kind, namespace, name }: Pick<BindingFact, 'kind' | 'namespace' | 'name'>,
  cluster: string,
): string =>
  `kubectl --context ${cluster} ${namespace === undefined ? '' : `-n ${namespace} `}delete ${kind.toLowerCase()} ${name}`;

/** Where one subject of several must go, which nobody may do without `bind` either. */
export const sharedBinding = (binding: BindingFact, cluster: string): string => {
  const { kind, namespace, name } = binding;
  const where = namespace === undefined ? '' : `-n ${namespace} `;
  return `${bindingPath(binding)}: kubectl --context ${cluster} ${where}edit ${kind.toLowerCase()} ${name}`;
};
