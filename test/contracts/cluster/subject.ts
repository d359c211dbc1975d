// What the suites need of a cluster, simulated or real: an administrator's kubeconfig, and what only one side can do.

export interface Subject {
  /** Its text; the user in it has every power. */
  kubeconfig: string;
  /** What can only be done to a cluster that is ours alone. */
  own?: {
    /** Forgets history, as etcd's compaction does. */
    compact(): void | Promise<void>;
    /** A restore of this cluster as it is now: the same signing key, the same objects with their UIDs. */
    clone(): Promise<Subject>;
  };
  close(): Promise<void>;
}

/** Throws where it is not ours. */
export function ownOf({ own }: Subject): NonNullable<Subject['own']> {
  if (own === undefined) throw new Error('This cluster is not ours alone.');
  return own;
}

export type Start = () => Promise<Subject>;
