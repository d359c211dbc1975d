// Whether a workload's controller has done what was asked of it, as `kubectl rollout status` judges it, with its traps.
import { type Condition, isReady, type PodObject, type WorkloadObject } from './objects.ts';

export interface RolloutStatus {
  /** `stuck`: it will not get there without a person. */
  at: 'done' | 'going' | 'stuck';
  /** One sentence. */
  line: string;
}

const done = (line = 'Its Pods are Ready.'): RolloutStatus => ({ at: 'done', line });
const going = (line: string): RolloutStatus => ({ at: 'going', line });
const stuck = (line: string): RolloutStatus => ({ at: 'stuck', line });

type Judge = (object: WorkloadObject) => RolloutStatus;

/** Of the controller alone: whether old Pods are left must be asked of the Pods, see `oldPods`. */
export function rolloutStatus(kind: string, object: WorkloadObject): RolloutStatus {
  const judge = judges[kind];
  if (judge === undefined)
    return stuck(`Nobody here knows how a ${kind} replaces its Pods, so a person must do it.`);
  // What the status says is about an older template until the controller has seen the new one.
  if (lags(object)) return going('Its controller has not seen the change yet.');
  return judge(object);
}

const lags = ({ metadata, status = {} }: WorkloadObject): boolean =>
  metadata.generation !== undefined &&
  status.observedGeneration !== undefined &&
  Number(status.observedGeneration) < metadata.generation;

const deployment: Judge = ({ metadata, spec = {}, status = {} }) => {
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  const wanted = spec.replicas ?? 1;
  if (metadata.generation !== undefined && status.observedGeneration === undefined)
    return going('Its controller has not seen it yet.');
  if (condition(status.conditions, 'Progressing')?.reason === 'ProgressDeadlineExceeded')
    return stuck('It made no progress within its own deadline (ProgressDeadlineExceeded).');
  const complete = updatedReplicas >= wanted && replicas <= updatedReplicas;
  if (spec.paused && !complete)
    return stuck('It is paused, so nothing is replaced until somebody resumes it.');
  if (updatedReplicas < wanted) return going(`${updatedReplicas} of ${wanted} Pods are of the new template.`);
  const left = replicas - updatedReplicas;
  if (left > 0) return going(left === 1 ? '1 old Pod is still there.' : `${left} old Pods are still there.`);
  if (availableReplicas < updatedReplicas)
    return going(`${availableReplicas} of ${updatedReplicas} new Pods are available.`);
  return done();
};

const statefulSet: Judge = ({ spec = {}, status = {} }) => {
  const wanted = spec.replicas ?? 1;
  const { readyReplicas = 0, updatedReplicas = 0, currentRevision, updateRevision } = status;
  if (status.observedGeneration === undefined) return going('Its controller has not seen it yet.');
  if (readyReplicas < wanted) return going(`${readyReplicas} of ${wanted} Pods are Ready.`);
  if (spec.updateStrategy?.type === 'OnDelete') return done('Its Pods are Ready, of whichever template.');
  const partition = spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  if (partition > 0) {
    const expected = Math.max(0, wanted - partition);
    // kubectl calls this success, with old Pods below the partition.
    if (updatedReplicas < expected)
      return going(`${updatedReplicas} of ${expected} Pods above its partition are of the new template.`);
    return done(`Its Pods are Ready; those below its partition of ${partition} keep the old template.`);
  }
  if (updateRevision !== currentRevision)
    return going(`${updatedReplicas} of ${wanted} Pods are of the new template.`);
  return done();
};

const daemonSet: Judge = ({ spec = {}, status = {} }) => {
  const { desiredNumberScheduled = 0, updatedNumberScheduled = 0, numberAvailable = 0 } = status;
  if (status.observedGeneration === undefined) return going('Its controller has not seen it yet.');
  const onDelete = spec.updateStrategy?.type === 'OnDelete';
  if (!onDelete && updatedNumberScheduled < desiredNumberScheduled)
    return going(`${updatedNumberScheduled} of ${desiredNumberScheduled} Pods are of the new template.`);
  if (numberAvailable < desiredNumberScheduled)
    return going(`${numberAvailable} of ${desiredNumberScheduled} Pods are available.`);
  return done(onDelete ? 'Its Pods are available, of whichever template.' : undefined);
};

const replicaSet: Judge = ({ spec = {}, status = {} }) => {
  const wanted = spec.replicas ?? 1;
  const { readyReplicas = 0 } = status;
  return readyReplicas < wanted ? going(`${readyReplicas} of ${wanted} Pods are Ready.`) : done();
};

const rollout: Judge = (object) => {
  const { phase, message = '' } = object.status ?? {};
  if (phase === 'Degraded') return stuck(`Argo Rollouts calls it degraded${message ? `: ${message}` : ''}.`);
  return replicaSet(object);
};

const job: Judge = ({ status = {} }) => {
  if (condition(status.conditions, 'Failed')?.status === 'True') return stuck('The Job has failed.');
  return done('The Job runs or has ended.');
};

const judges: Record<string, Judge | undefined> = {
  Deployment: deployment,
  StatefulSet: statefulSet,
  DaemonSet: daemonSet,
  ReplicaSet: replicaSet,
  ReplicationController: replicaSet,
  Rollout: rollout,
  Job: job,
  CronJob: () => done('It makes its next Job anew.'),
};

const condition = (conditions: Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((each) => each.type === type);

const TROUBLES = new Set([
  'CrashLoopBackOff',
  'CreateContainerConfigError',
  'CreateContainerError',
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
]);

/** Why a controller could not even make Pods (a quota, an admission policy), in the words of the API server. */
export const creationFailure = ({ status }: WorkloadObject): string | undefined => {
  const failure = condition(status?.conditions, 'ReplicaFailure');
  return failure?.status === 'True' ? failure.message : undefined;
};

/** Why Pods do not become Ready, as the kubelet says: `2 Pods: ImagePullBackOff`. */
export function podTroubles(pods: readonly PodObject[]): string | undefined {
  const reasons = pods.filter((pod) => !isReady(pod)).flatMap((pod) => [...new Set(reasonsOf(pod))]);
  const counts = [...Map.groupBy(reasons, (reason) => reason)].map(
    ([reason, all]) => `${all.length} Pod${all.length === 1 ? '' : 's'}: ${reason}`,
  );
  return counts.length > 0 ? counts.sort().join(', ') : undefined;
}

function reasonsOf({ status = {} }: PodObject): string[] {
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const waiting = containers.flatMap(({ state }) => state?.waiting?.reason ?? []);
  const unschedulable = condition(status.conditions, 'PodScheduled')?.reason === 'Unschedulable';
  return [...waiting.filter((reason) => TROUBLES.has(reason)), ...(unschedulable ? ['Unschedulable'] : [])];
}
