// The shapes of the Kubernetes objects that the simulated cluster looks into; every other field passes through untouched.

export interface ObjectMeta {
  name: string;
  generateName?: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: ManagedFieldsEntry[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
}

export interface ManagedFieldsEntry {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  time: string;
  fieldsType: 'FieldsV1';
}

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** What a client sends: the server fills in the rest of the metadata. */
export interface Draft {
  metadata?: Partial<ObjectMeta>;
  [field: string]: unknown;
}

export interface SecretObject extends KubeObject {
  type?: string;
  data?: Record<string, string>;
}

export interface ServiceAccountObject extends KubeObject {
  secrets?: { name?: string }[];
}

export interface PodSpec {
  serviceAccountName?: string;
  nodeName?: string;
  terminationGracePeriodSeconds?: number;
  containers?: { name: string; env?: unknown; envFrom?: unknown }[];
  volumes?: { name: string; secret?: { secretName?: string; optional?: boolean } }[];
}

export interface PodObject extends KubeObject {
  spec: PodSpec;
  status?: { phase?: string; conditions?: { type: string; status: string }[] };
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  spec?: PodSpec;
}

export interface WorkloadObject extends KubeObject {
  spec: { replicas?: number; paused?: boolean; selector?: unknown; template?: PodTemplate };
  status?: { readyReplicas?: number };
}

export interface PolicyRule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

export interface RoleObject extends KubeObject {
  rules?: PolicyRule[];
}

export interface Subject {
  kind: 'ServiceAccount' | 'User' | 'Group';
  name: string;
  namespace?: string;
  apiGroup?: string;
}

export interface BindingObject extends KubeObject {
  subjects?: Subject[];
  roleRef: { apiGroup: string; kind: 'Role' | 'ClusterRole'; name: string };
}

/** Kubernetes writes times with whole seconds. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
