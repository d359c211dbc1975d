// From the objects of a namespace to who uses what leaked: Pods, and what makes them, also where it makes none now. Pure.
import {
  controllerOf,
  isFinished,
  type Meta,
  type PodObject,
  type PodTemplate,
  type WorkloadObject,
} from '../kubernetes/objects.ts';
import { type Entry, type KnownOwners, knownBy, type Top, topOf, topOfEntry } from '../kubernetes/owners.ts';
import {
  merged,
  type References,
  referencesOf,
  type Stake,
  templateOf,
} from '../kubernetes/pod-references.ts';
import type { Consumer, Listed } from './listed.ts';
import type { PodFact, WorkloadFact } from './situation.ts';
import { workloadFact } from './workload-fact.ts';

export interface Consumers {
  pods: PodFact[];
  workloads: WorkloadFact[];
}

export function consumersOf(listed: Listed, stake: Stake): Consumers {
  const known = knownBy(listed.workloads);
  const found = new Map<string, Consumer>();
  const pods = listed.pods.flatMap((pod): PodFact[] => {
    const references = isMirror(pod) ? undefined : referencesOf(pod.spec, stake);
    if (references === undefined) return [];
    const top = topOf(pod.metadata, known) ?? bare(pod);
    // A Pod that has ended is still what a token is bound to, but there is nothing to replace.
    if (!isFinished(pod)) add(found, top, references, known).pods.push(pod);
    return [podFact(pod, top, references)];
  });
  for (const entry of listed.workloads) {
    const owner = controllerOf(entry.object.metadata);
    const references = referencesOf(templateIn(entry.object, known)?.spec, stake);
    // What another known workload controls is told by that one; old ReplicaSets would only repeat it.
    if (references === undefined || (owner && known.has(owner.uid)) || isOver(entry)) continue;
    add(found, topOfEntry(entry, known), references, known);
  }
  const workloads = [...found.values()].map((consumer) => workloadFact(consumer, listed));
  return {
    pods: pods.sort((a, b) => a.name.localeCompare(b.name)),
    workloads: workloads.sort((a, b) => pathOf(a).localeCompare(pathOf(b))),
  };
}

/** Which of these Secrets a Pod or a template mounts or reads, whatever ServiceAccount it runs as. */
export function usedSecrets(listed: Listed, secrets: readonly string[]): Set<string> {
  const { workloads } = consumersOf(listed, { serviceAccount: '', secrets });
  return new Set(workloads.flatMap(({ references }) => references.secrets));
}

/** `Kind/name`, as people and memories name a workload. */
export const pathOf = ({ kind, name }: { kind: string; name: string }): string => `${kind}/${name}`;

function add(found: Map<string, Consumer>, top: Top, references: References, known: KnownOwners): Consumer {
  const before = found.get(top.uid);
  const template = top.object && templateIn(top.object, known);
  const consumer: Consumer = before ?? { top, references, pods: [], template };
  consumer.references = merged(before?.references, references);
  found.set(top.uid, consumer);
  return consumer;
}

/** Of a Rollout that borrows the template of a Deployment, that one. */
function templateIn(object: WorkloadObject, known: KnownOwners): PodTemplate | undefined {
  const own = templateOf(object);
  const { kind, name } = object.spec?.workloadRef ?? {};
  if (own !== undefined || name === undefined) return own;
  const lender = [...known.values()].find(
    (entry) => entry.kind === kind && entry.object.metadata.name === name,
  );
  return lender && templateOf(lender.object);
}

function bare({ apiVersion = 'v1', metadata: { name, uid } }: PodObject): Top {
  return { kind: 'Pod', apiVersion, name, uid };
}

/** Static Pods may not use a ServiceAccount; what the API server shows of them has an empty name for it. */
const isMirror = ({ metadata }: { metadata: Meta }): boolean =>
  metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;

/** A Job that has ended makes no Pods any more. */
const isOver = ({ kind, object }: Entry): boolean =>
  kind === 'Job' &&
  (object.status?.conditions ?? []).some(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );

function podFact({ metadata }: PodObject, top: Top, { secrets }: References): PodFact {
  const { name, uid, deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  return {
    name,
    uid,
    owner: pathOf(top),
    ...(deletionTimestamp ? { deletionTimestamp } : {}),
    ...(deletionGracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: deletionGracePeriodSeconds }),
    via: secrets.length > 0 ? 'secret' : 'serviceAccountName',
  };
}
