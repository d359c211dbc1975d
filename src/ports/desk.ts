// What the bot asks the worker, who alone may look at clusters.

/** Questions that the bot asks the worker, who alone may look at clusters. */
export type Question =
  | { ask: 'find-service-account'; cluster?: string; namespace: string; name: string }
  /** Which strategies fit, best first; none where the ServiceAccount is not there. */
  | { ask: 'ways-to-rotate'; cluster?: string; namespace: string; name: string }
  | { ask: 'list-namespaces'; cluster: string }
  | { ask: 'list-service-accounts'; cluster: string; namespace: string };

export interface Answer {
  /** find-service-account: clusters that have it. The list questions: the names. */
  found: string[];
  /** Near matches of a name that was not found, best first. */
  near: string[];
  /** Why something could not be looked at; empty where all was. */
  problems: string[];
}

export interface Desk {
  /** Throws AppError `timeout` when no worker answers within the deadline. */
  ask(question: Question, deadlineMs: number): Promise<Answer>;
}
