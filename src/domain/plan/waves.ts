// In which order, and how many at once, workloads are replaced.

export interface Cap {
  /** Of all workloads. */
  percent: number;
  /** Never more than these at once. */
  most: number;
}

export const DEFAULT_CAP: Cap = { percent: 25, most: 5 };

/** How carefully workloads are replaced. */
export interface Pace extends Cap {
  /** Milliseconds that each wave is given to become Ready. */
  deadline: number;
}

export const DEFAULT_PACE: Pace = { ...DEFAULT_CAP, deadline: 600_000 };

export interface Waiting {
  kind: string;
  /** Wanted Pods; null: not known. */
  replicas: number | null;
  /** It has no Ready Pod that could be lost. */
  failing: boolean;
}

/**
 * Those that fail already come first and all at once, because waiting protects nothing there. Those that are interrupted
 * by a replacement come last: by then the others have shown that it works.
 */
export function waves<W extends Waiting>(workloads: readonly W[], { percent, most }: Cap): W[][] {
  const failing = workloads.filter((each) => each.failing);
  const healthy = workloads.filter((each) => !each.failing);
  const ordered = [
    ...healthy.filter((each) => !isDelicate(each)),
    ...healthy.filter((each) => isDelicate(each)),
  ];
  const size = Math.max(1, Math.min(most, Math.ceil((workloads.length * percent) / 100)));
  const chunks = Array.from({ length: Math.ceil(ordered.length / size) }, (_, index) =>
    ordered.slice(index * size, (index + 1) * size),
  );
  return failing.length > 0 ? [failing, ...chunks] : chunks;
}

const isDelicate = ({ kind, replicas }: Waiting): boolean =>
  kind === 'StatefulSet' || kind === 'Pod' || replicas === null || replicas <= 1;

/** Of one workload whose Pods are removed one by one: how many may be missing. */
export const mayBeMissing = (replicas: number): number => Math.max(1, Math.floor(replicas / 4));
