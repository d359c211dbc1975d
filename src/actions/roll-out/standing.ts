// Where one workload of a roll-out stands, and what would bring it further. Pure: it only reads what was seen.
import { oneLine } from '../../domain/kubernetes/denials.ts';
import { waitedForInVain } from '../../domain/kubernetes/forced-rollback.ts';
import {
  isFinished,
  isReady,
  type PodObject,
  type PodTemplate,
  type WorkloadObject,
} from '../../domain/kubernetes/objects.ts';
import { isOld, oldPods } from '../../domain/kubernetes/old-pods.ts';
import { creationFailure, podTroubles, rolloutStatus } from '../../domain/kubernetes/rollout-status.ts';
import { byItself } from '../../domain/plan/restart-commands.ts';
import { mayBeMissing } from '../../domain/plan/waves.ts';
import type { JsonPatch } from '../../ports/cluster.ts';
import type { RollOut, Target } from './params.ts';
import type { Survey } from './survey.ts';

/** What is done to a workload so that its controller makes new Pods, and to a bare Pod that is made anew. */
export interface Change {
  /** Undefined: the object has it already. */
  patch(kind: string, object: WorkloadObject): JsonPatch | undefined;
  /** Of a bare Pod; the same where nothing but the Pod itself must be new. */
  respec(template: PodTemplate): PodTemplate;
  /** Whether Pods made from the unchanged template are new enough. */
  sameTemplate: boolean;
  /** It takes back what a roll-out has changed. */
  isBack?: true;
}

export interface WorkloadStanding {
  target: Target;
  path: string;
  object?: WorkloadObject;
  pods: PodObject[];
  old: PodObject[];
  /** `left`: a person must do it. */
  at: 'done' | 'going' | 'stuck' | 'left';
  /** One sentence. */
  line: string;
  next?: Next;
}

export type Next =
  | { do: 'patch'; patch: JsonPatch }
  | { do: 'evict'; pods: PodObject[] }
  /** Without asking a disruption budget: they serve nobody. */
  | { do: 'delete'; pods: PodObject[] }
  | { do: 'remove-bare'; pod: PodObject }
  | { do: 'create-bare' };

export interface View {
  params: RollOut;
  change: Change;
  /** UIDs of the Pods that were there when it began. */
  existing: ReadonlySet<string>;
  /** `Kind/name` of workloads whose change was written before. */
  touched: readonly string[];
  /** Names of bare Pods whose manifest was kept. */
  kept: readonly string[];
}

type Judged = Pick<WorkloadStanding, 'at' | 'line' | 'next'>;

export function standingOf(target: Target, survey: Survey, view: View): WorkloadStanding {
  const pods = survey.podsOf(target);
  const object = survey.objectOf(target);
  const old = oldPods(pods, isOld(view.params.old, view.existing));
  const seen = { target, path: `${target.kind}/${target.name}`, pods, old, ...(object ? { object } : {}) };
  return { ...seen, ...judge(seen, view) };
}

type Seen = Omit<WorkloadStanding, keyof Judged>;

function judge(seen: Seen, view: View): Judged {
  const { target, object, old, pods } = seen;
  if (target.kind === 'Pod') return barePod(seen, view);
  if (target.custom) return old.length > 0 ? left(byItself(target.kind)) : done('Its old Pods are gone.');
  if (object === undefined)
    return old.length > 0 ? going('It was deleted; its Pods are going.') : done('It was deleted.');
  const { kind } = target;
  const template = kind === 'CronJob' && !view.change.sameTemplate && view.change.patch(kind, object);
  if (template) return change(seen, view, template);
  if (kind === 'Job' || kind === 'CronJob') return job(seen);
  if (object.spec?.paused && old.length > 0) return paused(seen, view);
  const patch = old.length > 0 || !view.change.sameTemplate ? view.change.patch(kind, object) : undefined;
  const byHand = kind === 'ReplicaSet' || kind === 'ReplicationController' || waitsForDeletes(object);
  if (patch && !(byHand && view.change.sameTemplate)) return change(seen, view, patch);
  const status = rolloutStatus(kind, object);
  if (status.at === 'stuck') return { at: 'stuck', line: withTroubles(status.line, seen) };
  if (byHand && old.length > 0) return evicting(seen);
  const inVain = waitedForInVain(kind, object, pods);
  const broken = view.change.isBack ? inVain.filter((pod) => old.includes(pod)) : [];
  if (broken.length > 0) return { ...going(inVainLine(broken)), next: { do: 'delete', pods: broken } };
  if (status.at === 'going')
    return going(withTroubles(`${status.line}${byHandLine(inVain, view.params.namespace)}`, seen));
  if (old.length > 0 && partitionOf(object) > 0) return belowPartition(seen, view);
  return old.length > 0 ? going(`${count(old.length, 'old Pod')} still there.`) : done(status.line);
}

const done = (line: string): Judged => ({ at: 'done', line });
const going = (line: string): Judged => ({ at: 'going', line });
const left = (line: string): Judged => ({ at: 'left', line });
const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? ' is' : 's are'}`;

/** Ourselves, and the controllers that only write the status. */
const OURS = /^(tourniquet|kube-)/;

/** What was written once and is not there any more was taken back by somebody, and would be again. */
function change({ path, object }: Seen, { touched }: View, patch: JsonPatch): Judged {
  if (!touched.includes(path)) return { ...going('About to be changed.'), next: { do: 'patch', patch } };
  const newestFirst = (object?.metadata.managedFields ?? []).toSorted((a, b) =>
    (b.time ?? '').localeCompare(a.time ?? ''),
  );
  const managers = newestFirst.flatMap(({ manager }) => manager ?? []).filter((name) => !OURS.test(name));
  const names = [...new Set(managers)].slice(0, 5).join(', ') || 'unknown';
  return { at: 'stuck', line: `The change was taken back. Others that write it, newest first: ${names}.` };
}

const names = (pods: readonly PodObject[]): string =>
  pods
    .slice(0, 5)
    .map(({ metadata }) => metadata.name)
    .join(' ');

const inVainLine = (pods: readonly PodObject[]): string =>
  `Its controller waits for ${names(pods)} of the template that was taken back, which will not become Ready; about to be deleted.`;

/** Whether such a Pod may go is for a person to say, where this roll-out did not make it. */
const byHandLine = (pods: readonly PodObject[], namespace: string): string =>
  pods.length === 0
    ? ''
    : ` Its controller waits for Pods of an older template that are not Ready. If they cannot become so, delete them: kubectl -n ${namespace} delete pod ${names(pods)}`;

function withTroubles(line: string, { pods, object }: Pick<Seen, 'pods' | 'object'>): string {
  const failure = object && creationFailure(object);
  const troubles = [podTroubles(pods), failure && oneLine(failure, MESSAGE_MAX)];
  return [line, ...troubles.flatMap((trouble) => (trouble ? [`${trouble.replace(/\.$/, '')}.`] : []))].join(
    ' ',
  );
}

const MESSAGE_MAX = 200;

const waitsForDeletes = ({ spec }: WorkloadObject): boolean => spec?.updateStrategy?.type === 'OnDelete';
const partitionOf = ({ spec }: WorkloadObject): number => spec?.updateStrategy?.rollingUpdate?.partition ?? 0;

function job({ target, old }: Seen): Judged {
  if (old.length === 0) return done(`No old Pod of ${target.kind === 'Job' ? 'it' : 'its Jobs'} is left.`);
  if (!target.consent)
    return left(`${count(old.length, 'old Pod')} running to an end; wait for it, or delete the Job.`);
  return {
    ...going(`${count(old.length, 'old Pod')} still there.`),
    next: { do: 'evict', pods: goable(old) },
  };
}

function paused(seen: Seen, { change: { sameTemplate } }: View): Judged {
  if (!seen.target.consent || !sameTemplate)
    return left('It is paused: resume it, which also rolls out whatever else waits there.');
  return evicting(seen);
}

function belowPartition(seen: Seen, { change: { sameTemplate } }: View): Judged {
  if (sameTemplate) return evicting(seen);
  return left(
    `${count(seen.old.length, 'Pod')} below its partition of ${seen.object ? partitionOf(seen.object) : 0}, which keeps the old template: lower the partition.`,
  );
}

/** One by one, or a quarter at once: what does not serve goes first, and never more than may be missing. */
function evicting(seen: Seen): Judged {
  const { old, pods, object } = seen;
  const wanted = object?.spec?.replicas ?? object?.status?.desiredNumberScheduled ?? pods.length;
  const missing = Math.max(0, wanted - pods.filter(isReady).length);
  const candidates = goable(old);
  const idle = candidates.filter((pod) => !isReady(pod));
  const serving = candidates.filter(isReady).slice(0, Math.max(0, mayBeMissing(wanted) - missing));
  const line = withTroubles(`${count(old.length, 'old Pod')} still there.`, seen);
  const next = [...idle, ...serving];
  return { ...going(line), ...(next.length > 0 ? { next: { do: 'evict', pods: next } } : {}) };
}

const goable = (pods: PodObject[]): PodObject[] =>
  pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);

function barePod({ target, pods, old }: Seen, { kept, change: { isBack } }: View): Judged {
  const [pod] = old;
  if (pod !== undefined) {
    // One that this step made is not old, but for who takes that back.
    if (!isBack && pod.metadata.uid !== target.uid)
      return left('Another Pod has taken its name, and was not touched: delete it and create it again.');
    if (!target.consent)
      return left('It has no owner that would start another: delete it and create it again.');
    return pod.metadata.deletionTimestamp === undefined
      ? { ...going('About to be made anew.'), next: { do: 'remove-bare', pod } }
      : going('It terminates.');
  }
  const [fresh] = pods;
  if (fresh === undefined)
    return kept.includes(target.name)
      ? { ...going('It is gone, and about to be made anew.'), next: { do: 'create-bare' } }
      : done('It is gone.');
  return isReady(fresh) || isFinished(fresh)
    ? done('It was made anew.')
    : going(withTroubles('The new one is not Ready yet.', { pods }));
}

export interface Wave {
  number: number;
  of: number;
  /** `Kind/name`. */
  open: readonly string[];
  /** How long the wave before took, in milliseconds. */
  before: number;
}
