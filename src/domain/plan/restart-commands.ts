// What a person would type to have the Pods of one workload made anew.
import type { WorkloadFact } from '../situation/situation.ts';

export type Restartable = Pick<WorkloadFact, 'kind' | 'name' | 'uid' | 'strategy' | 'partition' | 'custom'>;

/** Lines for a shell; what nobody here can do is a comment in it. */
export function restartCommands(workload: Restartable, cluster: string, namespace: string): string[] {
  const { kind, name, uid, strategy, partition, custom } = workload;
  const kubectl = `kubectl --context ${cluster} -n ${namespace}`;
  const one = `${kind.toLowerCase()} ${name}`;
  if (custom) return [`# ${kind}/${name}: ${byItself(kind)}`];
  switch (kind) {
    case 'Deployment':
    case 'StatefulSet':
    case 'DaemonSet': {
      if (strategy === 'OnDelete') return [deletePods(kubectl, uid)];
      const status = `${kubectl} rollout status ${one}`;
      const below = partition ? [deletePods(kubectl, uid)] : [];
      return [`${kubectl} rollout restart ${one}`, status, ...below];
    }
    case 'ReplicaSet':
    case 'ReplicationController':
      return [deletePods(kubectl, uid)];
    case 'Rollout':
      return [
        `${kubectl} patch rollout ${name} --type merge -p "{\\"spec\\":{\\"restartAt\\":\\"$(date -u +%FT%TZ)\\"}}"`,
      ];
    case 'CronJob':
      return [
        `# ${kind}/${name}: its next Job uses what is new; a Job that runs now ends or is deleted by a person.`,
      ];
    case 'Job':
      return [
        `# ${kind}/${name}: let it end, or delete it and create it again; its template cannot be changed.`,
      ];
    default:
      return [`${kubectl} get pod ${name} -o yaml | ${kubectl} replace --force -f -`];
  }
}

const SETTABLE = new Set([
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'ReplicationController',
  'CronJob',
]);

/** What a person would type to have one workload use the new name. */
export function repointCommands(
  workload: Restartable,
  { what, from, to }: { what: 'secret' | 'service-account'; from: string; to: string },
  cluster: string,
  namespace: string,
): string[] {
  const { kind, name } = workload;
  const kubectl = `kubectl --context ${cluster} -n ${namespace}`;
  const one = `${kind.toLowerCase()} ${name}`;
  if (workload.custom || !SETTABLE.has(kind)) return restartCommands(workload, cluster, namespace);
  if (what === 'service-account') return [`${kubectl} set serviceaccount ${one} ${to}`];
  return [
    `${kubectl} get ${one} -o json | jq '(.. | strings | select(. == "${from}")) = "${to}"' | ${kubectl} replace -f -`,
  ];
}

/** Of one owner, one by one; unlike an eviction this asks no disruption budget. */
const deletePods = (kubectl: string, uid: string): string =>
  `${kubectl} get pods -o json | jq -r '.items[] | select(any(.metadata.ownerReferences[]?; .uid == "${uid}")) | .metadata.name' | xargs -r -n 1 ${kubectl} delete pod`;

const MECHANISMS: Record<string, string> = {
  Revision:
    'change the Knative Service, for instance an annotation of its template: that makes a new Revision',
  DeploymentConfig: 'start it anew with: oc rollout latest',
  Workflow: 'let the Argo Workflow end, or stop it and submit it again',
};

/** How a kind that is not handled here replaces its Pods, as far as is known. */
export const byItself = (kind: string): string =>
  `${MECHANISMS[kind] ?? 'only its own operator knows how to restart it: use its documentation, or delete its Pods one by one'}.`;
