// What one cluster looks like around the leaked token: everything a person needs to decide, as facts without values.

import type { InGit } from '../kubernetes/git-patch.ts';
import type { Owner } from '../kubernetes/managed-by.ts';
import type { References } from '../kubernetes/pod-references.ts';

export interface ApiServer {
  /** https URL of one API server, or of the load balancer in front of several. */
  address: string;
  /** Minor version of Kubernetes 1.x, null where it could not be read. */
  minor: number | null;
}

export interface TokenSecretFact {
  name: string;
  uid: string;
  resourceVersion: string;
  createdAt?: string;
  deleting: boolean;
  /** It has the name of the token's Secret, but not the type: API servers compare only the value, which is not looked at. */
  otherType?: true;
  /** Value of the label kubernetes.io/legacy-token-invalid-since. */
  invalidSince?: string;
  /** Value of the label kubernetes.io/legacy-token-last-used (day granularity), before we touched anything. */
  lastUsed?: string;
  /** Whether the Secret has any labels: decides the shape of the conditional patch. */
  hasLabels: boolean;
  /** It was made to take the place of the Secret of this name. */
  replaces?: string;
  /** Field managers, newest first: who would re-create it. */
  managers: string[];
  /** Who would bring it back once it is deleted, and is there, or may be. */
  owners?: Owner[];
  /** A Pod or a template mounts or reads it. */
  used?: true;
  /** The ServiceAccount names it in its list of Secrets. */
  listed?: true;
  /** For a Secret that is used or listed: what a re-creation would carry. */
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export interface PodFact {
  name: string;
  uid: string;
  /** `Kind/name` of the top-most owner, or `Pod/name` for a bare Pod. */
  owner: string;
  deletionTimestamp?: string;
  gracePeriodSeconds?: number;
  via: 'serviceAccountName' | 'secret';
}

/** A disruption budget that covers a workload's Pods. */
export interface BudgetFact {
  name: string;
  /** Pods that may go right now. */
  allowed: number;
}

/** Something that the API server asks the Pods of a workload, and what comes of it while none of them answers. */
export interface CallbackFact {
  kind:
    | 'ValidatingWebhookConfiguration'
    | 'MutatingWebhookConfiguration'
    | 'APIService'
    | 'CustomResourceDefinition';
  name: string;
  /** blocks: also what a roll-out makes in this very namespace is refused. */
  effect: 'blocks' | 'refuses' | 'unavailable' | 'unchecked';
}

/** One thing that makes Pods which use what leaked, at the top of its chain of owners; a bare Pod is its own. */
export interface WorkloadFact {
  kind: string;
  apiVersion: string;
  name: string;
  uid: string;
  references: References;
  /** Wanted Pods; null where nobody can tell (owners of an unknown kind). For a CronJob its active Jobs. */
  replicas: number | null;
  ready: number;
  generation?: number;
  strategy?: 'RollingUpdate' | 'Recreate' | 'OnDelete';
  /** StatefulSet: Pods below this number are not replaced by a roll-out. */
  partition?: number;
  paused?: true;
  suspended?: true;
  /** `Kind/name` of a controller of another kind above it, which may take back what is changed here. */
  ownedBy?: string;
  /** Nobody here knows how this kind replaces its Pods. */
  custom?: true;
  /** Helm, Argo CD, Flux. */
  managedBy: string[];
  /** HorizontalPodAutoscaler that sets its replicas. */
  autoscaler?: string;
  budgets: BudgetFact[];
  /** Services that send to its Pods; absent where there is none. */
  services?: string[];
  callbacks?: CallbackFact[];
  /** For a patch that can be committed, where somebody manages it. */
  git?: InGit;
}

export interface BlastRadius {
  tier: 'severe' | 'high' | 'moderate' | 'low' | 'unknown';
  /** Plain sentences, worst first: "can read every Secret in all namespaces (ClusterRole cluster-admin)". */
  lines: string[];
  /** `ClusterRoleBinding/x → ClusterRole/y (as ServiceAccount|Group|User)`. */
  bindings: string[];
}

/** One RoleBinding or ClusterRoleBinding that gives the ServiceAccount power. */
export interface BindingFact {
  kind: 'RoleBinding' | 'ClusterRoleBinding';
  namespace?: string;
  name: string;
  uid: string;
  role: { kind: 'Role' | 'ClusterRole'; name: string };
  /** As whom it is meant: only where it is named itself does a new ServiceAccount need a binding of its own. */
  as: 'ServiceAccount' | 'User' | 'Group';
  /** How many subjects it has. */
  subjects: number;
  /** It is the only subject, so that the whole binding may go. */
  sole: boolean;
}

/** Something that the chosen way needs beyond the worker's roles, in the group rbac.authorization.k8s.io. */
export interface Right {
  verb: 'bind' | 'create' | 'delete';
  resource: 'roles' | 'clusterroles' | 'rolebindings' | 'clusterrolebindings';
  namespace?: string;
  /** Absent for `create`, which knows no names. */
  name?: string;
}

export interface RightFact extends Right {
  /** What the API server answered to whether the worker has it. */
  has: 'yes' | 'no' | 'unknown';
}

export interface AccessFact {
  /** The worker, as RBAC names it; empty where that could not be read. */
  worker: string;
  rights: RightFact[];
  /** ServiceAccounts with such a name as a new one would get. */
  namesakes: {
    name: string;
    /** It was made to take the place of the one of this name. */
    replaces?: string;
  }[];
  /** Bindings for the new one that are there already, because a person made them: `Kind namespace/name`. */
  made: string[];
}

/** flux: a kubeconfig under the key that Flux and Cluster API use; text: anything else with the token in it. */
export type CopyShape = 'plain' | 'kubeconfig' | 'flux' | 'argo-cd' | 'docker' | 'text';

/** A Secret, besides the token Secrets of the ServiceAccount, that holds one of its tokens. */
export interface CopyFact {
  namespace: string;
  name: string;
  uid: string;
  key: string;
  shape: CopyShape;
  /** The leaked token, the one in a token Secret, or one that names the ServiceAccount. */
  holds: 'leaked' | 'secret' | 'account';
  /** The token Secret that it is a copy of. */
  of?: string;
  /** Who writes it from elsewhere; see managed-by.ts. */
  managedBy: string[];
  /** `Kind/name` of what mounts or reads it, in its namespace. */
  usedBy: string[];
}

export interface CopySearch {
  /** Namespaces whose Secrets were looked into. */
  searched: string[];
  found: CopyFact[];
  /** What could not be looked at there, and why: each one is shown. */
  gaps: string[];
}

export interface ServiceAccountManifest extends Record<string, unknown> {
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  automountServiceAccountToken?: boolean;
  imagePullSecrets?: { name: string }[];
  /** Also of token Secrets, under the names that they have now. */
  secrets?: { name: string }[];
}

export interface Situation {
  cluster: string;
  /** ISO time. */
  observedAt: string;
  servers: ApiServer[];
  serviceAccount: {
    name: string;
    uid: string;
    deleting: boolean;
    /** Absent in what was observed before it was read. */
    deletionTimestamp?: string;
    finalizers: string[];
    /** What a re-creation would create: no UID, no status. */
    manifest: ServiceAccountManifest;
  } | null;
  /** Secrets of type kubernetes.io/service-account-token of this ServiceAccount (legacy), by metadata only. */
  tokenSecrets: TokenSecretFact[];
  /** The object that the token is bound to, as it is now; null when it does not exist (any more). */
  boundObject: {
    kind: string;
    name: string;
    uid: string;
    deletionTimestamp?: string;
    owner?: string;
  } | null;
  /** By object state alone. quarantined: refused, but somebody can undo that. */
  liveness: {
    alive: 'alive' | 'quarantined' | 'dead' | 'unknown';
    reason: string;
    /** ISO time of its death at the latest, for one that is dying already. */
    until?: string;
    /** For one that is alive: nothing stops a token Secret of those at stake. */
    open?: true;
    /** For one that is unknown: see ProofRound. */
    voids?: true;
  };
  pods: PodFact[];
  /** Everything that makes such Pods, also where none runs now; sorted by kind and name. */
  workloads: WorkloadFact[];
  radius: BlastRadius;
  /** What gives it its power, whoever else they name; sorted. */
  bindings: BindingFact[];
  /** Absent in what was observed before copies were looked for. */
  copies?: CopySearch;
  /** Only looked into where the chosen way needs rights that no worker has by default. */
  access?: AccessFact;
  /** GitOps, Helm or operator ownership that would bring a deleted Secret back. */
  warnings: string[];
  /** What could not be read, and why: each one is shown. */
  unread: string[];
  /** This is the identity that the worker itself runs as. */
  self: boolean;
}
