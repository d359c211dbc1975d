// Finds what somebody may have meant by a name that does not exist.

/** The known names within two typing mistakes, or that begin like it, nearest first. */
export function near(wanted: string, known: readonly string[]): string[] {
  return known
    .map((name) => ({ name, distance: name.startsWith(wanted) ? 0.5 : editDistance(wanted, name) }))
    .filter(({ distance }) => distance <= 2)
    .sort((a, b) => a.distance - b.distance)
    .map(({ name }) => name);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries())
      next.push(
        Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
}
