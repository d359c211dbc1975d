// The name of what takes the place of a ServiceAccount or a token Secret: never the old name, which could bring the old token back.

const MARK = /-r\d{8}$/;
/** Of a DNS subdomain, as Kubernetes names these objects. */
const LONGEST = 253;

/** Whether a name is like one that a successor of that, on whichever day, would get. */
export const couldSucceed = (name: string, old: string): boolean =>
  name.startsWith(`${old.replace(MARK, '').slice(0, LONGEST - 13)}-r`);

/** The same all day, so that the plan stays the same. `today`: ISO date; `taken`: names that exist. */
export function successorName(old: string, today: string, taken: readonly string[] = []): string {
  const base = old.replace(MARK, '');
  const mark = `-r${today.replaceAll('-', '')}`;
  const name = `${base.slice(0, LONGEST - mark.length - 3)}${mark}`;
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}-${n}`;
    if (!taken.includes(candidate) && candidate !== old) return candidate;
  }
}
