// Which of the rights that the worker needs it does not have, and the RBAC objects that would give it just those.
import { stringify } from 'yaml';
import { grants, type Rule, toRules } from './rbac.ts';

/** As a SelfSubjectRulesReview answers. */
export interface HeldRule {
  apiGroups?: string[];
  resources?: string[];
  verbs?: string[];
  resourceNames?: string[];
}

/** A right of its own: what one access review asks for. */
export interface Grant {
  group: string;
  /** With its subresource: `pods/eviction`. */
  resource: string;
  verb: string;
}

export function grantsOf(rules: readonly Rule[]): Grant[] {
  return [...grants(rules)].map((text) => {
    const [path = '', verb = ''] = text.split(' ');
    const slash = path.indexOf('/');
    return { group: path.slice(0, slash), resource: path.slice(slash + 1), verb };
  });
}

export const rulesOf = (missing: readonly Grant[]): Rule[] =>
  toRules(new Set(missing.map(({ group, resource, verb }) => `${group}/${resource} ${verb}`)));

/** A rule for named objects gives nothing that is needed for all of them. */
export const holds = (held: readonly HeldRule[], { group, resource, verb }: Grant): boolean =>
  held.some(
    ({ apiGroups, resources, verbs, resourceNames }) =>
      !resourceNames?.length &&
      has(apiGroups, group) &&
      has(verbs, verb) &&
      (has(resources, resource) || has(resources, `*/${resource.split('/')[1] ?? ''}`)),
  );

const has = (list: readonly string[] | undefined, one: string): boolean =>
  list?.some((entry) => entry === one || entry === '*') ?? false;

const RBAC = 'rbac.authorization.k8s.io';
const NAME = 'tourniquet-worker-missing';

/** For an administrator. `namespace` undefined: in the whole cluster. `subject`: as Kubernetes names the worker. */
export function missingRbac(rules: readonly Rule[], subject: string, namespace?: string): string {
  const prefix = namespace === undefined ? 'Cluster' : '';
  const metadata = { name: NAME, ...(namespace === undefined ? {} : { namespace }) };
  const role = { apiVersion: `${RBAC}/v1`, kind: `${prefix}Role`, metadata, rules };
  const binding = {
    apiVersion: `${RBAC}/v1`,
    kind: `${prefix}RoleBinding`,
    metadata,
    roleRef: { apiGroup: RBAC, kind: `${prefix}Role`, name: NAME },
    subjects: [subjectOf(subject)],
  };
  return `${stringify(role)}---\n${stringify(binding)}`.trimEnd();
}

function subjectOf(name: string) {
  const [, namespace, account] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name) ?? [];
  if (account !== undefined) return { kind: 'ServiceAccount', name: account, namespace };
  return { kind: 'User', apiGroup: RBAC, name };
}
