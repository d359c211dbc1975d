// Turns measured times into the one table that a reader compares, without hiding the slow end.

export interface Series {
  name: string;
  /** Milliseconds. */
  times: number[];
}

const COLUMNS = { min: 0, p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, max: 1 } as const;

/** Nearest rank: always a time that was measured. */
export function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export const median = (times: readonly number[]): number => quantile(times, 0.5);

export function table(series: readonly Series[]): string {
  const head = ['milliseconds', 'n', ...Object.keys(COLUMNS)];
  const rows = series.map(({ name, times }) => [
    name,
    String(times.length),
    ...Object.values(COLUMNS).map((share) => quantile(times, share).toFixed(1)),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  '),
    )
    .join('\n');
}
