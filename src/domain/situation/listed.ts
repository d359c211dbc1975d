// What was listed of one namespace, and one of the workloads in it that use what leaked.

import type { AutoscalerObject, BudgetObject, PodObject, PodTemplate } from '../kubernetes/objects.ts';
import type { Entry, Top } from '../kubernetes/owners.ts';
import type { References } from '../kubernetes/pod-references.ts';
import type { Callback, ServiceObject } from './callbacks.ts';

/** All of one namespace. */
export interface Listed {
  pods: readonly PodObject[];
  workloads: readonly Entry[];
  autoscalers: readonly AutoscalerObject[];
  budgets: readonly BudgetObject[];
  services: readonly ServiceObject[];
  /** Empty where nobody looked for them yet. */
  callbacks: readonly Callback[];
}

/** One workload and what refers to the stake: its template, some of its Pods, or both. */
export interface Consumer {
  top: Top;
  references: References;
  pods: PodObject[];
  template?: PodTemplate | undefined;
}
