// What a thief can do with the ServiceAccount: its bindings in every namespace, and the verbs that matter. Pure RBAC arithmetic.
import { type BindingLike, bindingPath, type Match, matching } from './bindings.ts';
import type { BlastRadius } from './situation.ts';

export interface Rule {
  verbs?: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
}

export interface RoleLike {
  metadata: { name: string; namespace?: string };
  rules?: Rule[] | null;
}

export interface Rbac {
  clusterRoles: RoleLike[];
  roles: RoleLike[];
  clusterRoleBindings: BindingLike[];
  roleBindings: BindingLike[];
}

type Tier = Exclude<BlastRadius['tier'], 'unknown'>;
const ORDER: readonly Tier[] = ['severe', 'high', 'moderate', 'low'];

interface Power {
  tier: { cluster: Tier; namespace: Tier };
  says: string;
  grants(rule: Rule): boolean;
}

const has = (list: string[] | undefined, ...wanted: string[]): boolean =>
  list?.some((item) => item === '*' || wanted.includes(item)) ?? false;
const can =
  (verbs: string[], resources: string[]) =>
  (rule: Rule): boolean =>
    has(rule.verbs, ...verbs) && has(rule.resources, ...resources);

/** Escalation routes of the RBAC good practices (kubernetes.io), worst first. */
const POWERS: readonly Power[] = [
  {
    tier: { cluster: 'severe', namespace: 'severe' },
    says: 'can do everything',
    grants: ({ verbs, resources }) => (verbs?.includes('*') && resources?.includes('*')) ?? false,
  },
  {
    tier: { cluster: 'severe', namespace: 'high' },
    says: 'can give itself any right (escalate, bind)',
    grants: can(['escalate', 'bind'], ['roles', 'clusterroles']),
  },
  {
    tier: { cluster: 'severe', namespace: 'severe' },
    says: 'can act as other identities (impersonate)',
    grants: can(['impersonate'], ['users', 'groups', 'serviceaccounts']),
  },
  {
    tier: { cluster: 'severe', namespace: 'high' },
    says: 'can read Secrets, and so other tokens',
    grants: can(['get', 'list', 'watch'], ['secrets']),
  },
  {
    tier: { cluster: 'severe', namespace: 'high' },
    says: 'can mint tokens of ServiceAccounts',
    grants: can(['create'], ['serviceaccounts/token']),
  },
  {
    tier: { cluster: 'severe', namespace: 'severe' },
    says: 'can run commands through nodes (nodes/proxy)',
    grants: can(['get', 'create'], ['nodes/proxy']),
  },
  {
    tier: { cluster: 'severe', namespace: 'high' },
    says: 'can run commands in Pods (exec, attach)',
    grants: can(['create', 'get'], ['pods/exec', 'pods/attach', 'pods/ephemeralcontainers']),
  },
  {
    tier: { cluster: 'severe', namespace: 'high' },
    says: 'can start workloads, and so use every ServiceAccount and Secret there',
    grants: can(
      ['create', 'update', 'patch'],
      ['pods', 'deployments', 'statefulsets', 'daemonsets', 'jobs', 'cronjobs', 'replicasets'],
    ),
  },
  {
    tier: { cluster: 'severe', namespace: 'high' },
    says: 'can change who may do what (role bindings)',
    grants: can(
      ['create', 'update', 'patch'],
      ['rolebindings', 'clusterrolebindings', 'roles', 'clusterroles'],
    ),
  },
  {
    tier: { cluster: 'severe', namespace: 'severe' },
    says: 'can change admission webhooks',
    grants: can(
      ['create', 'update', 'patch'],
      ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
    ),
  },
  {
    tier: { cluster: 'severe', namespace: 'severe' },
    says: 'can create PersistentVolumes (host files)',
    grants: can(['create'], ['persistentvolumes']),
  },
  {
    tier: { cluster: 'severe', namespace: 'severe' },
    says: 'can approve certificates',
    grants: can(['update', 'patch', 'approve'], ['certificatesigningrequests/approval', 'signers']),
  },
  {
    tier: { cluster: 'high', namespace: 'moderate' },
    says: 'can change or delete objects',
    grants: ({ verbs, resources = [] }) =>
      has(verbs, 'create', 'update', 'patch', 'delete', 'deletecollection') &&
      !(resources.length > 0 && resources.every((resource) => QUESTION.test(resource))),
  },
  {
    tier: { cluster: 'moderate', namespace: 'low' },
    says: 'can read objects',
    grants: ({ verbs }) => has(verbs, 'get', 'list', 'watch'),
  },
];

/** "Creating" one of these asks a question and leaves nothing behind. */
const QUESTION = /^(tokenreviews|selfsubject\w+|(local)?subjectaccessreviews)$/;

export function blastRadius(namespace: string, name: string, rbac: Rbac): BlastRadius {
  const matched = matching(namespace, name, [...rbac.clusterRoleBindings, ...rbac.roleBindings]);
  const found = matched.flatMap((match) => powersOf(match, rbac));
  const sorted = ORDER.flatMap((tier) => found.filter((power) => power.tier === tier));
  const lines = [...new Set(sorted.map(({ line }) => line))];
  return {
    tier: sorted[0]?.tier ?? 'low',
    lines: lines.length > 0 ? lines : ['no rights of its own: only what every authenticated identity may do'],
    bindings: matched.map(describeBinding),
  };
}

function powersOf({ binding }: Match, rbac: Rbac): { tier: Tier; line: string }[] {
  const { roleRef, metadata } = binding;
  const role =
    roleRef.kind === 'ClusterRole'
      ? rbac.clusterRoles.find((candidate) => candidate.metadata.name === roleRef.name)
      : rbac.roles.find(
          (candidate) =>
            candidate.metadata.name === roleRef.name && candidate.metadata.namespace === metadata.namespace,
        );
  const scope = metadata.namespace === undefined ? 'cluster' : 'namespace';
  const where = scope === 'cluster' ? 'in the whole cluster' : `in namespace ${metadata.namespace}`;
  const rules = role?.rules ?? [];
  const powers = POWERS.flatMap((power) => {
    const granting = rules.filter(power.grants);
    return granting.length > 0 ? [{ power, only: namedOnly(granting) }] : [];
  });
  // Who can do everything needs no list of the rest.
  const told = powers[0]?.power === POWERS[0] ? powers.slice(0, 1) : powers;
  return told.map(({ power, only }) => ({
    tier: only ? 'moderate' : power.tier[scope],
    line: `${power.says} ${where}${only ? `, only ${only.join(', ')}` : ''} (${roleRef.kind} ${roleRef.name})`,
  }));
}

/** The objects that every one of these rules is limited to; undefined where one of them has no such limit. */
function namedOnly(rules: readonly Rule[]): string[] | undefined {
  const names = rules.map(({ resourceNames = [] }) => resourceNames);
  return names.every((list) => list.length > 0) ? [...new Set(names.flat())] : undefined;
}

function describeBinding({ binding: { metadata, roleRef }, as }: Match): string {
  const kind = metadata.namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding';
  return `${bindingPath({ ...metadata, kind })} → ${roleRef.kind}/${roleRef.name} (as ${as})`;
}
