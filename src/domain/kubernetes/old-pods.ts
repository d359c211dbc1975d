// Which Pods belong to a workload, and which of them still hold what must go.
import { controllerOf, isFinished, type Meta, type PodObject } from './objects.ts';
import { accountOf, secretsOf } from './pod-references.ts';

interface Named {
  kind: string;
  name: string;
  uid: string;
}

/** The label that names the ReplicaSet between a Pod and what owns it, so that ReplicaSets need not be listed. */
const TEMPLATE_HASH: Record<string, string> = {
  Deployment: 'pod-template-hash',
  Rollout: 'rollouts-pod-template-hash',
};

/** `jobs`: needed for CronJobs alone. */
export function podsOf(
  { kind, name, uid }: Named,
  pods: readonly PodObject[],
  jobs: readonly { metadata: Meta }[] = [],
): PodObject[] {
  const hash = TEMPLATE_HASH[kind];
  const runs = new Set(
    jobs.filter(({ metadata }) => controllerOf(metadata)?.uid === uid).map(({ metadata }) => metadata.uid),
  );
  return pods.filter(({ metadata }) => {
    const owner = controllerOf(metadata);
    // The one that takes its place has its name, and nothing above it either.
    if (kind === 'Pod') return owner === undefined && metadata.name === name;
    if (owner === undefined) return false;
    if (hash !== undefined)
      return owner.kind === 'ReplicaSet' && owner.name === `${name}-${metadata.labels?.[hash]}`;
    return kind === 'CronJob' ? runs.has(owner.uid) : owner.uid === uid;
  });
}

/** What makes a Pod old. `existing`: it was there when the roll-out began. */
export type OldRule =
  | { rule: 'existing' }
  | { rule: 'service-account'; name: string }
  | { rule: 'secret'; name: string };

/** `existing`: UIDs of the Pods that were there. */
export function isOld(rule: OldRule, existing: ReadonlySet<string>): (pod: PodObject) => boolean {
  switch (rule.rule) {
    case 'existing':
      return ({ metadata }) => existing.has(metadata.uid);
    case 'service-account':
      return ({ spec = {} }) => accountOf(spec) === rule.name;
    case 'secret':
      return ({ spec = {} }) => secretsOf(spec).has(rule.name);
  }
}

/** Terminating ones count, because they run until they are gone; those that have ended do not. */
export const oldPods = (pods: readonly PodObject[], old: (pod: PodObject) => boolean): PodObject[] =>
  pods.filter((pod) => old(pod) && !isFinished(pod));
