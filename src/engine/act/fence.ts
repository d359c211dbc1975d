// Whether a step is still this process's own, asked before every write to a cluster: one that was stopped for long may wake up long after
// somebody else has done, ended or undone it.
import type { Incident, StepState } from '../../domain/incident/incident.ts';
import { stateOf } from '../../domain/incident/runs.ts';
import type { Step } from '../../domain/plan/plan.ts';
import { AppError } from '../../errors.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { Held } from '../../ports/locks.ts';
import type { WorkerDeps } from '../ground/deps.ts';
import { refresh, type Session } from '../ground/session.ts';

/** One attempt at one step; a later attempt by somebody else ends this one. */
export interface StepAt {
  run: string;
  step: Step;
  attempt: number;
  /** Absent: nothing but the log says whose it is. */
  lease?: Pick<Held, 'held'>;
}

export const stateAt = (incident: Incident, { run, step }: StepAt): StepState | undefined =>
  stateOf(incident, run, step.id);

/** The log decides whose step it is: nobody took it up again since, ended it or stopped the run. */
export function isMine(incident: Incident, place: StepAt): boolean {
  const state = stateAt(incident, place);
  const run = incident.runs.find(({ id }) => id === place.run);
  return (
    run?.stopped === undefined && state?.outcome === undefined && (state?.attempts ?? 0) === place.attempt
  );
}

/**
 * How long what the log said is relied on without asking again. A job is given to somebody else only much later, and a lease
 * lapses later; a process that was stopped wakes up after it, and asks before it writes.
 */
const TRUSTED_MS = 2000;
/** A log that answers this slowly so often is not there. */
const LOOKS = 3;

export interface Claim {
  lost: AbortSignal;
  /** Throws AppError `interrupted` where somebody else has the step by now. */
  confirm(): Promise<void>;
  /** The same from what was just learnt. */
  check(mine: boolean): void;
}

export function claim(deps: WorkerDeps, session: Session, place: StepAt): Claim {
  const lost = new AbortController();
  let begun = false;
  const check = (mine: boolean): void => {
    if (!mine || place.lease?.held() === false) lost.abort();
    if (lost.signal.aborted) throw interrupted(place);
  };
  const isFresh = (): boolean => {
    const age = deps.clock.now() - session.seenAt;
    return age >= 0 && age <= TRUSTED_MS;
  };
  return {
    lost: lost.signal,
    check,
    async confirm() {
      for (let looks = 0; !isFresh(); looks++) {
        if (looks === LOOKS) throw interrupted(place);
        check((await refresh(deps, session)) && isMine(session.incident, place));
        // Pressed while this process was away: what has begun is not left half-done.
        if (!begun && session.incident.paused) throw interrupted(place);
      }
      // Last, because it asks nobody and so nothing happens between it and the write.
      check(true);
      begun = true;
    },
  };
}

export const interrupted = ({ step }: StepAt): AppError =>
  new AppError('interrupted', `${step.title}: interrupted. It goes on where it stopped.`);

/** No write of an action leaves without having asked, whichever action it is. */
export function fenced(cluster: Cluster, confirm: Claim['confirm']): Cluster {
  const asking =
    <A extends unknown[], R>(write: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      await confirm();
      return await write(...given);
    };
  return {
    ...cluster,
    create: asking(cluster.create) as Cluster['create'],
    patch: asking(cluster.patch),
    remove: asking(cluster.remove),
    evict: asking(cluster.evict),
  };
}
