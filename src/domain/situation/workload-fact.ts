// What a person and a roll-out must know of one workload, read from its object and from what refers to it.

import { inGit } from '../kubernetes/git-patch.ts';
import { managedBy } from '../kubernetes/managed-by.ts';
import { isReady, selects, type WorkloadObject } from '../kubernetes/objects.ts';
import { callbackFacts, servicesFor } from './callbacks.ts';
import type { Consumer, Listed } from './listed.ts';
import type { WorkloadFact } from './situation.ts';

/** Kinds whose way of replacing Pods is known. */
const KNOWN_KINDS = new Set([
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'ReplicationController',
  'Job',
  'CronJob',
  'Rollout',
  'Pod',
]);

export function workloadFact({ top, references, pods, template }: Consumer, listed: Listed): WorkloadFact {
  const { kind, apiVersion, name, uid, object, ownedBy } = top;
  const labels = template?.metadata?.labels ?? pods[0]?.metadata.labels;
  const autoscaler = listed.autoscalers.find(
    ({ spec }) => spec?.scaleTargetRef?.kind === kind && spec.scaleTargetRef.name === name,
  );
  const budgets = listed.budgets
    .filter(({ spec }) => labels !== undefined && selects(spec?.selector, labels))
    .map(({ metadata, status }) => ({ name: metadata.name, allowed: status?.disruptionsAllowed ?? 0 }));
  const services = servicesFor(listed.services, labels);
  const callbacks = callbackFacts(listed.callbacks, services, labels);
  const readyPods = pods.filter(isReady).length;
  const owners = object ? managedBy(object.metadata) : [];
  const git = inGit({ kind, apiVersion, managedBy: owners }, template?.spec, references.secrets);
  return {
    kind,
    apiVersion,
    name,
    uid,
    references,
    ...(object ? counts(kind, object, readyPods) : { replicas: kind === 'Pod' ? 1 : null, ready: readyPods }),
    ...(object ? manner(kind, object) : {}),
    ...(ownedBy === undefined ? {} : { ownedBy }),
    ...(KNOWN_KINDS.has(kind) ? {} : { custom: true as const }),
    managedBy: owners,
    ...(git === undefined ? {} : { git }),
    ...(autoscaler ? { autoscaler: autoscaler.metadata.name } : {}),
    budgets: budgets.sort((a, b) => a.name.localeCompare(b.name)),
    ...(services.length > 0 ? { services } : {}),
    ...(callbacks.length > 0 ? { callbacks } : {}),
  };
}

function counts(kind: string, { spec = {}, status = {} }: WorkloadObject, readyPods: number) {
  const active = Array.isArray(status.active) ? status.active.length : (status.active ?? 0);
  switch (kind) {
    case 'DaemonSet':
      return { replicas: status.desiredNumberScheduled ?? 0, ready: status.numberReady ?? 0 };
    case 'Job':
    case 'CronJob':
      return { replicas: active, ready: readyPods };
    default:
      return { replicas: spec.replicas ?? 1, ready: status.readyReplicas ?? 0 };
  }
}

function manner(kind: string, { metadata, spec = {} }: WorkloadObject): Partial<WorkloadFact> {
  const partition = spec.updateStrategy?.rollingUpdate?.partition;
  const strategy = strategyOf(kind, spec);
  return {
    ...(metadata.generation === undefined ? {} : { generation: metadata.generation }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(partition ? { partition } : {}),
    ...(spec.paused ? { paused: true } : {}),
    ...(spec.suspend ? { suspended: true } : {}),
  };
}

function strategyOf(
  kind: string,
  { strategy, updateStrategy }: NonNullable<WorkloadObject['spec']>,
): WorkloadFact['strategy'] {
  if (kind === 'Deployment') return strategy?.type === 'Recreate' ? 'Recreate' : 'RollingUpdate';
  if (kind === 'StatefulSet' || kind === 'DaemonSet')
    return updateStrategy?.type === 'OnDelete' ? 'OnDelete' : 'RollingUpdate';
  return undefined;
}
