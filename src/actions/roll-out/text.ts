// What a roll-out says of itself: in the plan, while it runs, and when it ends.
import type { StepText } from '../../contracts/action.ts';
import { gitPatch } from '../../domain/kubernetes/git-patch.ts';
import { repointCommands, restartCommands } from '../../domain/plan/restart-commands.ts';
import type { RollOutMemory } from './advance.ts';
import type { RollOut } from './params.ts';
import type { Wave, WorkloadStanding } from './standing.ts';

const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** As many as fit into a sentence. */
const some = (words: readonly string[], most: number): string =>
  words.length > most
    ? `${words.slice(0, most).join(', ')} and ${words.length - most} more`
    : words.join(', ');

const paths = (workloads: readonly { kind: string; name: string }[]): string[] =>
  workloads.map(({ kind, name }) => `${kind}/${name}`);

export function describeRestart(params: RollOut, cluster: string): StepText {
  const { namespace, workloads, cap, deadlineSeconds, killedFirst } = params;
  const minutes = Math.round(deadlineSeconds / 60);
  const within = minutes > 0 ? `${minutes} min` : `${deadlineSeconds} s`;
  const slow = killedFirst
    ? `A wave that is not Ready within ${within} does not keep the next from its turn, as every old token is dead by then.`
    : `It stops at the first wave that is not Ready within ${within}.`;
  return {
    title: `Replace the Pods of ${counted(workloads.length, 'workload')} in ${namespace} on ${cluster}: ${some(paths(workloads), 3)}`,
    breaks: `Each Pod is replaced once, at most ${cap.percent} % of the workloads and ${cap.most} at once; those with one Pod are interrupted for as long as a Pod takes to start. ${slow} A restart needs no undoing.`,
    kubectl: workloads.flatMap((workload) => restartCommands(workload, cluster, namespace)),
  };
}

export function describeRepoint(
  params: RollOut & { what: 'secret' | 'service-account'; from: string; to: string },
  cluster: string,
): StepText {
  const { namespace, workloads, what, from, to } = params;
  const { breaks } = describeRestart(params, cluster);
  const forGit = workloads.flatMap((workload) => gitPatch(workload, { what, from, to }) ?? []);
  const noun = what === 'secret' ? 'Secret' : 'ServiceAccount';
  return {
    title: `Point ${counted(workloads.length, 'workload')} in ${namespace} on ${cluster} at ${noun} ${to}: ${some(paths(workloads), 3)}`,
    back: `Point ${counted(workloads.length, 'workload')} in ${namespace} on ${cluster} back at ${noun} ${from}, once that is seen to work: ${some(paths(workloads), 3)}`,
    breaks: breaks.replace(
      ' A restart needs no undoing.',
      ` Until it is through, ${from} stays in use, and so the leak stays live.`,
    ),
    kubectl: workloads.flatMap((workload) =>
      repointCommands(workload, { what, from, to }, cluster, namespace),
    ),
    ...(forGit.length > 0 ? { forGit } : {}),
  };
}

export function progressText({ number, of }: Wave, held: readonly WorkloadStanding[]): string {
  return `Wave ${number} of ${of}: ${each(held, 3)}`;
}

export function stoppedText(
  held: readonly WorkloadStanding[],
  { number, of }: Wave,
  deadlineSeconds: number,
  reasons: ReadonlyMap<string, string>,
): string {
  const late = held.some(({ at }) => at === 'going');
  const why = late ? ` within ${deadlineSeconds} s` : '';
  const rest = of - number;
  const waiting =
    rest > 0 ? ` ${counted(rest, 'later wave')} did not begin, so its Pods are old and run.` : '';
  const others = [...reasons].filter(([known]) => !held.some(({ path }) => path === known));
  const left = others.map(([path, line]) => ({ path, line }));
  const theirs = left.length > 0 ? ` Left to a person: ${each(left, 5)}` : '';
  return `Wave ${number} of ${of} did not become Ready${why}: ${each(held, 5)}${waiting}${theirs}`;
}

export const undoneText = (undone: readonly WorkloadStanding[]): string => `Not replaced: ${each(undone, 5)}`;

const each = (held: readonly Pick<WorkloadStanding, 'path' | 'line'>[], most: number): string => {
  const shown = held.slice(0, most).map(({ path, line }) => `${path}: ${line}`);
  return [...shown, ...(held.length > most ? [`And ${held.length - most} more.`] : [])].join(' ');
};

export function doneText(
  { old = [], began = 0 }: RollOutMemory,
  { workloads }: RollOut,
  skipped: readonly string[],
): string {
  const from = new Date(began).toISOString().slice(0, 19);
  const without =
    skipped.length > 0 ? ` A person skipped ${some(skipped, 5)}: what runs there is not looked at.` : '';
  return `${counted(old.length, 'Pod')} of ${counted(workloads.length, 'workload')} replaced and Ready again; none from before ${from}Z is left.${without}`;
}
