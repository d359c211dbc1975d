// What a person must know before the Pods of these workloads are replaced. Pure: facts in, sentences out.

import { callbackNotes } from '../situation/callbacks.ts';
import { pathOf } from '../situation/consumers.ts';
import type { Situation, WorkloadFact } from '../situation/situation.ts';
import { byItself } from './restart-commands.ts';

/** For the notes of a plan, gravest first. */
export function preflight({ workloads }: Pick<Situation, 'workloads'>): string[] {
  if (workloads.length === 0) return [];
  const callbacks = workloads.map((workload) => callbackNotes(pathOf(workload), workload.callbacks));
  const grave = callbacks.flatMap((notes) => notes.grave);
  const other = callbacks.flatMap((notes) => notes.other);
  return [...grave, ...aboutSome(workloads), ...other, ...aboutEach(workloads), ...UNKNOWN];
}

const UNKNOWN = [
  'Not known beforehand: whether the images can still be pulled, and whether quotas leave room for the new Pods. A wave whose Pods do not become Ready stops the roll-out while the old token lives.',
];

type About = [(workload: WorkloadFact) => boolean, (names: string, several: boolean) => string];

const ABOUT: readonly About[] = [
  [
    ({ paused }) => paused === true,
    (names, several) =>
      `${names} ${several ? 'are' : 'is'} paused: nothing is replaced there until somebody resumes or says that the Pods may be removed one by one.`,
  ],
  [
    ({ budgets, strategy, kind }) =>
      budgets.some(({ allowed }) => allowed === 0) && (strategy === 'OnDelete' || isEvicted(kind)),
    (names) =>
      `A PodDisruptionBudget of ${names} allows no Pod to go: the roll-out waits for it, and stops at its deadline.`,
  ],
  [
    // A Deployment that rolls starts the new Pod before the old one goes.
    ({ replicas, kind, strategy }) =>
      replicas === 1 &&
      !['Job', 'CronJob'].includes(kind) &&
      !(kind === 'Deployment' && strategy === 'RollingUpdate'),
    (names, several) =>
      `${names} ${several ? 'have' : 'has'} one Pod${several ? ' each' : ''}: expect a short interruption.`,
  ],
  [
    ({ kind, strategy, replicas }) => kind === 'Deployment' && strategy === 'Recreate' && (replicas ?? 2) > 1,
    (names) => `${names} stops all its Pods before it starts new ones: expect an interruption.`,
  ],
  [
    ({ kind, replicas }) => replicas === 0 && !['Job', 'CronJob', 'DaemonSet'].includes(kind),
    (names, several) => `${names} ${several ? 'have' : 'has'} no Pod now; the next ones will be new.`,
  ],
  [
    ({ partition }) => partition !== undefined,
    (names) =>
      `${names}: Pods below its partition are removed one by one and come back with the old template.`,
  ],
  [
    ({ strategy }) => strategy === 'OnDelete',
    (names, several) =>
      `${names} ${several ? 'replace' : 'replaces'} Pods only when they are removed, so they are evicted one by one.`,
  ],
  [
    ({ kind }) => kind === 'Job',
    (names, several) =>
      `${names} ${several ? 'run' : 'runs'} to an end; Tourniquet does not cut ${several ? 'them' : 'it'} short unless a person says so.`,
  ],
  [
    ({ kind }) => kind === 'Pod',
    (names, several) =>
      `${names} ${several ? 'have' : 'has'} no owner that would start another: replaced only when a person says so.`,
  ],
  [
    ({ suspended }) => suspended === true,
    (names, several) => `${names} ${several ? 'are' : 'is'} suspended; nothing is started there.`,
  ],
];

const isEvicted = (kind: string): boolean => kind === 'ReplicaSet' || kind === 'ReplicationController';

function aboutSome(workloads: readonly WorkloadFact[]): string[] {
  return ABOUT.flatMap(([fits, say]) => {
    const names = workloads.filter(fits).map(pathOf);
    return names.length > 0 ? [say(names.join(', '), names.length > 1)] : [];
  });
}

function aboutEach(workloads: readonly WorkloadFact[]): string[] {
  return workloads.flatMap((workload) => {
    const { autoscaler, managedBy, ownedBy, custom, kind } = workload;
    const path = pathOf(workload);
    const tools = managedBy.join(' and ');
    return [
      custom && `${path}: ${byItself(kind)}`,
      autoscaler &&
        `HorizontalPodAutoscaler ${autoscaler} sets the replicas of ${path}, which may change while it rolls.`,
      tools && `${tools} manages ${path}: a change here may be taken back, so it belongs into Git too.`,
      ownedBy && `${ownedBy} owns ${path} and may take a change back.`,
    ].filter((note) => typeof note === 'string' && note !== '');
  }) as string[];
}
