// What a thief could do, from bindings and roles.
import { describe, expect, it } from 'vitest';
import { blastRadius, type Rbac, type Rule } from '../../../src/domain/situation/blast-radius.ts';

const SA = { kind: 'ServiceAccount', name: 'api', namespace: 'payments' };

function rbac(
  rules: Rule[],
  { subject = SA as object, namespace }: { subject?: object; namespace?: string } = {},
): Rbac {
  const binding = {
    metadata: { name: 'b', ...(namespace ? { namespace } : {}) },
    subjects: [subject as typeof SA],
    roleRef: { kind: 'ClusterRole', name: 'r' },
  };
  return {
    clusterRoles: [{ metadata: { name: 'r' }, rules }],
    roles: [],
    clusterRoleBindings: namespace ? [] : [binding],
    roleBindings: namespace ? [binding] : [],
  };
}

const radius = (given: Rbac) => blastRadius('payments', 'api', given);
const rule = (verbs: string[], resources: string[], more: Partial<Rule> = {}): Rule => ({
  verbs,
  resources,
  apiGroups: ['*'],
  ...more,
});

describe('blastRadius', () => {
  it.each<[string, Rule[], string | undefined, string]>([
    ['everything, everywhere', [rule(['*'], ['*'])], undefined, 'severe'],
    ['everything in one namespace', [rule(['*'], ['*'])], 'payments', 'severe'],
    ['Secrets everywhere', [rule(['list'], ['secrets'])], undefined, 'severe'],
    ['Secrets of one namespace', [rule(['get'], ['secrets'])], 'payments', 'high'],
    ['one named Secret', [rule(['get'], ['secrets'], { resourceNames: ['tls'] })], 'payments', 'moderate'],
    ['exec', [rule(['create'], ['pods/exec'])], 'payments', 'high'],
    ['nodes/proxy by get alone', [rule(['get'], ['nodes/proxy'])], undefined, 'severe'],
    ['escalate', [rule(['escalate'], ['clusterroles'])], undefined, 'severe'],
    ['impersonate', [rule(['impersonate'], ['users'])], undefined, 'severe'],
    ['changing ConfigMaps of a namespace', [rule(['patch'], ['configmaps'])], 'payments', 'moderate'],
    ['reading Pods of a namespace', [rule(['list'], ['pods'])], 'payments', 'low'],
    ['asking who a token is', [rule(['create'], ['tokenreviews', 'subjectaccessreviews'])], undefined, 'low'],
    ['asking, and changing', [rule(['create'], ['tokenreviews', 'configmaps'])], undefined, 'high'],
  ])('%s', (_name, rules, namespace, tier) => {
    expect(radius(rbac(rules, namespace ? { namespace } : {})).tier).toBe(tier);
  });

  it.each([
    ['ServiceAccount', SA],
    ['Group', { kind: 'Group', name: 'system:serviceaccounts:payments' }],
    ['Group', { kind: 'Group', name: 'system:serviceaccounts' }],
    ['User', { kind: 'User', name: 'system:serviceaccount:payments:api' }],
  ])('finds it bound as %s', (as, subject) => {
    const found = radius(rbac([rule(['list'], ['secrets'])], { subject }));
    expect(found.bindings).toEqual([`ClusterRoleBinding/b → ClusterRole/r (as ${as})`]);
  });

  it('says nothing of what every ServiceAccount may do by default', () => {
    const everybody: Rbac = {
      ...rbac([rule(['list'], ['clustertrustbundles'])]),
      clusterRoleBindings: [
        {
          metadata: { name: 'system:cluster-trust-bundle-discovery' },
          subjects: [{ kind: 'Group', name: 'system:serviceaccounts' }],
          roleRef: { kind: 'ClusterRole', name: 'system:cluster-trust-bundle-discovery' },
        },
      ],
    };
    expect(radius(everybody)).toMatchObject({ tier: 'low', bindings: [] });
  });

  it.each([
    ['a namesake in another namespace', { ...SA, namespace: 'other' }],
    ['another ServiceAccount', { ...SA, name: 'web' }],
    ['the group of another namespace', { kind: 'Group', name: 'system:serviceaccounts:other' }],
  ])('does not count %s', (_name, subject) => {
    expect(radius(rbac([rule(['*'], ['*'])], { subject }))).toMatchObject({ tier: 'low', bindings: [] });
  });

  it('counts bindings in other namespaces, says where, and puts the worst first', () => {
    const given = rbac([rule(['list'], ['pods']), rule(['get'], ['secrets'])], { namespace: 'vault' });
    const { lines } = radius(given);
    expect(lines[0]).toMatch(/Secrets.*in namespace vault/);
  });

  it('of a role that does not exist is nothing', () => {
    expect(radius({ ...rbac([]), clusterRoles: [] }).tier).toBe('low');
  });
});
