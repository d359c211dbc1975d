// Answers "may this user do that" from the RBAC objects in the store. Callers themselves are not restricted by it.

import type { BindingObject, PolicyRule, RoleObject, Subject } from '../apimachinery/objects.ts';
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from '../apimachinery/resources.ts';
import type { World } from '../storage/world.ts';
import type { User } from '../tokens/claims.ts';

export interface ResourceAttributes {
  namespace?: string;
  verb?: string;
  group?: string;
  resource?: string;
  subresource?: string;
  name?: string;
}

export interface Grant {
  rule: PolicyRule;
  reason: string;
}

function means(subject: Subject, binding: BindingObject, user: User): boolean {
  if (subject.kind === 'Group') return user.groups.includes(subject.name);
  if (subject.kind === 'User') return user.username === subject.name;
  const namespace = subject.namespace ?? binding.metadata.namespace;
  return user.username === `system:serviceaccount:${namespace}:${subject.name}`;
}

function rulesOf(world: World, { roleRef, metadata }: BindingObject): PolicyRule[] {
  const role =
    roleRef.kind === 'ClusterRole'
      ? world.store.get<RoleObject>(clusterRoles, undefined, roleRef.name)
      : world.store.get<RoleObject>(roles, metadata.namespace, roleRef.name);
  return role?.rules ?? [];
}

/** Everything the user may do in this namespace (or cluster-wide, without one). */
export function grantsOf(world: World, user: User, namespace: string | undefined): Grant[] {
  const inNamespace = namespace ? world.store.list<BindingObject>(roleBindings, namespace) : [];
  const bindings = [...world.store.list<BindingObject>(clusterRoleBindings), ...inNamespace];
  return bindings.flatMap((binding) => {
    const subject = binding.subjects?.find((each) => means(each, binding, user));
    if (subject === undefined) return [];
    const reason = `RBAC: allowed by ${describe(binding, subject)}`;
    return rulesOf(world, binding).map((rule) => ({ rule, reason }));
  });
}

function describe({ kind, roleRef, metadata }: BindingObject, subject: Subject): string {
  const inNamespace = (name: string, namespace: string | undefined): string =>
    namespace === undefined ? name : `${name}/${namespace}`;
  const account = subject.kind === 'ServiceAccount' ? (subject.namespace ?? metadata.namespace) : undefined;
  const binding = inNamespace(metadata.name, metadata.namespace);
  const who = inNamespace(subject.name, account);
  return `${kind} "${binding}" of ${roleRef.kind} "${roleRef.name}" to ${subject.kind} "${who}"`;
}

function covers(list: string[] | undefined, value: string): boolean {
  return list?.some((each) => each === '*' || each === value) ?? false;
}

/** The first grant that allows it. */
export function allowedBy(world: World, user: User, wanted: ResourceAttributes): Grant | undefined {
  const { verb = '', group = '', resource = '', subresource, name } = wanted;
  const full = subresource ? `${resource}/${subresource}` : resource;
  return grantsOf(world, user, wanted.namespace).find(
    ({ rule }) =>
      covers(rule.verbs, verb) &&
      covers(rule.apiGroups, group) &&
      covers(rule.resources, full) &&
      (rule.resourceNames === undefined || (name !== undefined && rule.resourceNames.includes(name))),
  );
}

export function allowedPath(world: World, user: User, path: string, verb: string): Grant | undefined {
  return grantsOf(world, user, undefined).find(
    ({ rule }) =>
      covers(rule.verbs, verb) &&
      (covers(rule.nonResourceURLs, path) ||
        rule.nonResourceURLs?.some((url) => url.endsWith('*') && path.startsWith(url.slice(0, -1)))),
  );
}
