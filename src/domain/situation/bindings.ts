// Which role bindings give a ServiceAccount its power, and as whom each one means it. Pure.
import type { BindingFact } from './situation.ts';

export interface Subject {
  kind: string;
  name: string;
  namespace?: string;
}

export interface BindingLike {
  metadata: { name: string; namespace?: string; uid?: string };
  subjects?: Subject[];
  roleRef: { kind: string; name: string };
}

/** Bindings that everybody authenticated, or every ServiceAccount, has by default; they say nothing about this one. */
const EVERYBODY =
  /^system:(basic-user|discovery|public-info-viewer|service-account-issuer-discovery|cluster-trust-bundle-discovery)$/;

export interface Match {
  binding: BindingLike;
  as: BindingFact['as'];
}

export function matching(namespace: string, name: string, bindings: readonly BindingLike[]): Match[] {
  return bindings.flatMap((binding) => {
    const as = EVERYBODY.test(binding.roleRef.name) ? undefined : asWhom(binding, namespace, name);
    return as ? [{ binding, as }] : [];
  });
}

export const isAccount = (subject: Subject, namespace: string, name: string): boolean =>
  subject.kind === 'ServiceAccount' && subject.name === name && subject.namespace === namespace;

/** Whether it gives exactly this role to exactly this ServiceAccount. */
export const gives = (
  { roleRef, subjects = [] }: Pick<BindingLike, 'roleRef' | 'subjects'>,
  role: BindingFact['role'],
  namespace: string,
  name: string,
): boolean =>
  roleRef.kind === role.kind &&
  roleRef.name === role.name &&
  subjects.length > 0 &&
  subjects.every((subject) => isAccount(subject, namespace, name));

/** By name before by group: what names it is what can be given to another, or taken away. */
function asWhom({ subjects = [] }: BindingLike, namespace: string, name: string): Match['as'] | undefined {
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  const user = `system:serviceaccount:${namespace}:${name}`;
  if (subjects.some((subject) => isAccount(subject, namespace, name))) return 'ServiceAccount';
  if (subjects.some((subject) => subject.kind === 'User' && subject.name === user)) return 'User';
  return subjects.some((subject) => subject.kind === 'Group' && groups.includes(subject.name))
    ? 'Group'
    : undefined;
}

/** Sorted, so that a plan made from them stays the same. */
export function bindingFacts(
  namespace: string,
  name: string,
  bindings: readonly BindingLike[],
): BindingFact[] {
  const facts = matching(namespace, name, bindings).map(({ binding, as }): BindingFact => {
    const { metadata, roleRef, subjects = [] } = binding;
    return {
      kind: metadata.namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      name: metadata.name,
      uid: metadata.uid ?? '',
      role: { kind: roleRef.kind === 'Role' ? 'Role' : 'ClusterRole', name: roleRef.name },
      as,
      subjects: subjects.length,
      sole: as === 'ServiceAccount' && subjects.every((subject) => isAccount(subject, namespace, name)),
    };
  });
  return facts.sort((a, b) => bindingPath(a).localeCompare(bindingPath(b)));
}

/** `ClusterRoleBinding/x` or `RoleBinding ns/x`, as people are told. */
export const bindingPath = ({
  kind,
  namespace,
  name,
}: Pick<BindingFact, 'kind' | 'namespace' | 'name'>): string =>
  namespace === undefined ? `${kind}/${name}` : `${kind} ${namespace}/${name}`;
