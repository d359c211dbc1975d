// The parts of Pods and workloads that are looked into, as the API server answers them; everything may be missing.

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
}

export interface Meta {
  name: string;
  uid: string;
  resourceVersion?: string;
  namespace?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  managedFields?: { manager?: string; operation?: string; time?: string }[];
}

export interface SecretSource {
  name?: string;
  secretName?: string;
  secretRef?: { name?: string };
  projected?: { sources?: { secret?: { name?: string }; serviceAccountToken?: { audience?: string } }[] };
  secret?: { secretName?: string };
  csi?: { nodePublishSecretRef?: { name?: string } };
}

export interface Container {
  name?: string;
  env?: { name?: string; valueFrom?: { secretKeyRef?: { name?: string } } }[];
  envFrom?: SecretSource[];
  volumeMounts?: { mountPath?: string }[];
}

export interface PodSpec {
  serviceAccountName?: string;
  /** Old name of the same. */
  serviceAccount?: string;
  automountServiceAccountToken?: boolean;
  volumes?: SecretSource[];
  imagePullSecrets?: { name?: string }[];
  containers?: Container[];
  initContainers?: Container[];
  ephemeralContainers?: Container[];
  terminationGracePeriodSeconds?: number;
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

export interface ContainerStatus {
  name?: string;
  state?: { waiting?: { reason?: string } };
}

export interface PodObject {
  apiVersion?: string;
  kind?: string;
  metadata: Meta;
  spec?: PodSpec;
  status?: {
    phase?: string;
    conditions?: Condition[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  spec?: PodSpec;
}

/** Any kind that makes Pods: the fields of all of them, of which each has some. */
export interface WorkloadObject {
  apiVersion?: string;
  kind?: string;
  metadata: Meta;
  spec?: {
    replicas?: number;
    paused?: boolean;
    suspend?: boolean;
    template?: PodTemplate;
    /** CronJob. */
    jobTemplate?: { spec?: { template?: PodTemplate } };
    /** Rollout that runs another workload's template. */
    workloadRef?: { apiVersion?: string; kind?: string; name?: string };
    /** Deployment and Rollout. */
    strategy?: { type?: string };
    /** StatefulSet and DaemonSet. */
    updateStrategy?: { type?: string; rollingUpdate?: { partition?: number } };
    /** StatefulSet. */
    podManagementPolicy?: string;
    restartAt?: string;
  };
  status?: {
    observedGeneration?: number | string;
    replicas?: number;
    readyReplicas?: number;
    updatedReplicas?: number;
    availableReplicas?: number;
    currentRevision?: string;
    updateRevision?: string;
    /** DaemonSet. */
    desiredNumberScheduled?: number;
    updatedNumberScheduled?: number;
    numberReady?: number;
    numberAvailable?: number;
    /** Job: a count; CronJob: a list. */
    active?: number | { name?: string; uid?: string }[];
    succeeded?: number;
    /** Rollout. */
    phase?: string;
    message?: string;
    conditions?: Condition[];
  };
}

export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export interface AutoscalerObject {
  metadata: Meta;
  spec?: { scaleTargetRef?: { kind?: string; name?: string }; minReplicas?: number };
}

export interface BudgetObject {
  metadata: Meta;
  spec?: { selector?: LabelSelector };
  status?: { disruptionsAllowed?: number };
}

export const controllerOf = ({ ownerReferences }: Meta): OwnerReference | undefined =>
  ownerReferences?.find(({ controller }) => controller);

/** As policy/v1 reads it: none matches nothing, an empty one everything. */
export function selects(selector: LabelSelector | undefined, labels: Record<string, string> = {}): boolean {
  if (selector === undefined) return false;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'In') return value !== undefined && values.includes(value);
      if (operator === 'NotIn') return value === undefined || !values.includes(value);
      return operator === 'Exists' ? value !== undefined : value === undefined;
    })
  );
}

/** Whether a Pod serves: Ready and not on its way out. */
export const isReady = ({ metadata, status }: PodObject): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status?.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True');

/** No process of it runs any more, and nothing replaces it: its object stays for its logs. */
export const isFinished = ({ status }: PodObject): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed';
