// The worker's rights as a template of the chart, from what the actions declare; chart-files.ts writes it.
import { stringify } from 'yaml';
import { actions } from '../../src/actions/index.ts';
import { optInRules, type Rule, workerRules } from '../../src/domain/kubernetes/rbac.ts';

export const GENERATED = 'Generated, so do not edit it: node test/structure/chart-files.ts';

/** As text, because names and namespaces are the release's: `$`, also inside a range. */
export function rbacTemplate(): string {
  const { cluster, namespace } = workerRules(actions);
  const read = '{{ include "tourniquet.clusterName" $ }}-worker-read';
  const act = '{{ include "tourniquet.clusterName" $ }}-worker-namespace';
  return `# What the worker may do in this cluster: what the actions declare and the engine reads, and nothing else.
# ${GENERATED}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "tourniquet.name" $ }}-worker
  namespace: {{ $.Release.Namespace }}
  labels: {{- include "tourniquet.labels" (list $ "worker") | nindent 4 }}
automountServiceAccountToken: false
{{- if .Values.rbac.create }}
---
# Reading, in the whole cluster, without any Secret: who uses the ServiceAccount, and what a thief can do with it.
${role(read, cluster)}---
${binding('ClusterRoleBinding', read, '')}---
# Acting, where a binding says so. Get, list and patch on Secrets are the power to read them.
${role(act, namespace)}${boundWhereItActs(act)}${handingOut()}{{- end }}
`;
}

const boundWhereItActs = (name: string): string => `{{- if .Values.rbac.actEverywhere }}
---
${binding('ClusterRoleBinding', name, '')}{{- else }}
{{- range $namespace := .Values.rbac.actIn }}
---
${binding('RoleBinding', name, '  namespace: {{ $namespace }}\n')}{{- end }}
{{- end }}
`;

/** What actions declare as opt-in: bindings in the namespaces, and, asked for once more, in the whole cluster. */
function handingOut(): string {
  const here = '{{ include "tourniquet.clusterName" $ }}-worker-bind';
  const wide = '{{ include "tourniquet.clusterName" $ }}-worker-bind-cluster';
  return `{{- if or .Values.rbac.bind.roles .Values.rbac.bind.clusterRoles }}
{{- if not (or .Values.rbac.actIn .Values.rbac.actEverywhere) }}
{{- fail "rbac.bind names roles, but the worker may act nowhere. Name the namespaces in rbac.actIn." }}
{{- end }}
---
# Handing out power: whoever may make bindings can give each role that is named here to anybody.
${heading(here)}rules:
${optIn(['rolebindings', 'roles', 'clusterroles'])}${boundWhereItActs(here)}{{- end }}
{{- if .Values.rbac.bind.clusterWide }}
{{- if not .Values.rbac.bind.clusterRoles }}
{{- fail "rbac.bind.clusterWide is on, but rbac.bind.clusterRoles is empty. Name the ClusterRoles that may be bound." }}
{{- end }}
---
# The same in the whole cluster.
${heading(wide)}rules:
${optIn(['clusterrolebindings', 'clusterroles'])}---
${binding('ClusterRoleBinding', wide, '')}{{- end }}
`;
}

const BINDINGS = ['rolebindings', 'clusterrolebindings'];
/** What may be bound by its name alone, and the value that has the names. */
const NAMED: Record<string, string> = {
  roles: '.Values.rbac.bind.roles',
  clusterroles: '.Values.rbac.bind.clusterRoles',
};

/** Throws where an action declares what no value of the chart gives. */
function optIn(wanted: string[]): string {
  const single = optInRules(actions).flatMap(({ apiGroups, resources, verbs }) =>
    resources.map((resource) => ({ apiGroups, resources: [resource], verbs })),
  );
  return single
    .map((rule) => ({ rule, names: namesFor(rule) }))
    .filter(({ rule }) => rule.resources.some((resource) => wanted.includes(resource)))
    .map(({ rule, names }) => optInRule(rule, names))
    .join('');
}

function namesFor({ resources: [resource = ''], verbs }: Rule): string | undefined {
  const names = NAMED[resource];
  const isKnown = names ? verbs.join() === 'bind' : BINDINGS.includes(resource) && !verbs.includes('bind');
  if (!isKnown) throw new Error(`No value of the chart gives ${verbs.join(', ')} on ${resource}.`);
  return names;
}

function optInRule(rule: Rule, names: string | undefined): string {
  const text = stringify([rule], { indentSeq: true }).replaceAll(/^(?=.)/gm, '  ');
  if (names === undefined) return text;
  return `{{- with ${names} }}\n${text}    resourceNames: {{- toYaml . | nindent 6 }}\n{{- end }}\n`;
}

const LABELS = '  labels: {{- include "tourniquet.labels" (list $ "worker") | nindent 4 }}\n';

const heading = (name: string): string => `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: ${name}
${LABELS}`;

const role = (name: string, rules: Rule[]): string => `${heading(name)}${stringify({ rules })}`;

const binding = (
  kind: string,
  name: string,
  where: string,
): string => `apiVersion: rbac.authorization.k8s.io/v1
kind: ${kind}
metadata:
  name: ${name}
${where}${LABELS}roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: ${name}
subjects:
  - kind: ServiceAccount
    name: {{ include "tourniquet.name" $ }}-worker
    namespace: {{ $.Release.Namespace }}
`;
