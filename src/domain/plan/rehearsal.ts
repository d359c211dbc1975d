// What server-side dry runs said of the writes that a plan is made of, before anything in it is done for good. Pure.

/** A write of which nobody can say that it will be let through; those that would be are not told. */
export interface Rehearsed {
  /** `Secret payments/api-token`. */
  path: string;
  /** `unknown` stops nothing. */
  answer: 'refused' | 'unknown';
  /** Whole sentences: who refuses it, in their words, or why nobody can tell. */
  detail: string;
  /** `Kind/name` of a workload, without which a person may go on. */
  workload?: string;
}

const AT_MOST = 2;

/** For the notes of a plan, what is refused before what is not known. */
export function rehearsalNotes(findings: readonly Rehearsed[]): string[] {
  const refused = refusedIn(findings);
  const unknown = findings.filter(({ answer }) => answer === 'unknown');
  return [
    ...(refused.length > 0
      ? [
          `A dry run of this plan is refused, and while that is so, the plan stops before anything is done for good. Have it allowed, or choose another way. ${inWords(refused)}`,
        ]
      : []),
    ...[...Map.groupBy(unknown, ({ detail }) => detail)].map(
      ([detail, all]) =>
        `Not known from a dry run: whether ${some(all.map(({ path }) => path))} will be let through. ${detail} The plan goes on all the same.`,
    ),
  ];
}

export const refusedIn = (findings: readonly Rehearsed[]): Rehearsed[] =>
  findings.filter(({ answer }) => answer === 'refused');

/** Why a run stops. */
export const stoppedBefore = (refused: readonly Rehearsed[]): string =>
  `Not begun, and nothing was done for good, as a dry run of what must follow is refused. Have it allowed and try again, ${refused.every(({ workload }) => workload) ? 'go on without these workloads, ' : ''}or choose another way. ${inWords(refused)}`;

/** What one policy refuses of many objects is said once. */
function inWords(refused: readonly Rehearsed[]): string {
  const first = refused.slice(0, AT_MOST).map(({ detail }) => detail);
  const more = refused.slice(AT_MOST).map(({ path }) => path);
  return [...first, ...(more.length > 0 ? [`The same way: ${some(more)}.`] : [])].join(' ');
}

function some(paths: readonly string[]): string {
  const shown = paths.slice(0, 5).join(', ');
  return paths.length > 5 ? `${shown} and ${paths.length - 5} more` : shown;
}
