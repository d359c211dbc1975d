// Numbers of things, and lists that are cut with a number of what is left out.

export const counted = (n: number, noun: string, plural = `${noun}s`): string =>
  `${n} ${n === 1 ? noun : plural}`;

/** At most `max` items; what is left out is counted. */
export function some<T>(items: readonly T[], max: number, more = '(Details)'): (T | string)[] {
  if (items.length <= max) return [...items];
  return [...items.slice(0, max), `… and ${items.length - max} more ${more}`];
}
