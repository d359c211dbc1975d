// What an action is given while it runs: the cluster, what its step remembered and answered, and ways to remember more and to show progress.
import type { Action, StepTools, StepTrial, StepView } from '../../contracts/action.ts';
import type { EventBody } from '../../domain/incident/events.ts';
import type { Incident, Memory, Progress } from '../../domain/incident/incident.ts';
import { lastDone, latestState } from '../../domain/incident/runs.ts';
import type { Step } from '../../domain/plan/plan.ts';
import { AppError } from '../../errors.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { Secret } from '../../secret.ts';
import type { LookDeps, WorkerDeps } from '../ground/deps.ts';
import { change, enqueue, refresh, type Session } from '../ground/session.ts';
import { heldFor } from '../look/held-token.ts';
import { type Claim, claim, fenced, interrupted, isMine, type StepAt, stateAt } from './fence.ts';

interface Tools<B> {
  action: Action;
  tools: B;
  params: Record<string, unknown>;
}

/** To look only: with the memory of the last time that this very step was done. */
export function lookWith(
  deps: LookDeps,
  incident: Incident,
  step: Step,
  token: Secret | undefined,
): Tools<StepView> {
  return toolsFor(deps, incident, step, token, () => latestState(incident, step)?.memory);
}

/** To try by dry run too. */
export function tryWith(deps: WorkerDeps, incident: Incident, step: Step): Tools<StepTrial> {
  const { tools, ...rest } = lookWith(deps, incident, step, undefined);
  return { ...rest, tools: Object.assign(tools, { cluster: clusterOf(deps, step) }) };
}

function clusterOf({ clusters }: WorkerDeps, step: Step): Cluster {
  const cluster = clusters.get(step.cluster);
  if (cluster === undefined) throw unknownStep(step);
  return cluster;
}

export function workWith(
  deps: WorkerDeps,
  session: Session,
  place: StepAt,
  token: Secret | undefined,
): Tools<StepTools> {
  const memory = () => stateAt(session.incident, place)?.memory;
  const { action, params, tools: look } = toolsFor(deps, session.incident, place.step, token, memory);
  const mine = claim(deps, session, place);
  const own = { cluster: fenced(clusterOf(deps, place.step), mine.confirm) };
  return { action, params, tools: Object.assign(look, own, pen(deps, session, place, mine)) };
}

const unknownStep = (step: Step): AppError =>
  new AppError(
    'unsupported',
    `${step.title}: this worker does not know the action ${step.action} or the cluster ${step.cluster}. Check that bot and worker run the same version and configuration.`,
  );

/** Whatever the log says, only what this worker knows is done: its own clusters, actions and schemas. */
function toolsFor(
  deps: LookDeps,
  incident: Incident,
  step: Step,
  token: Secret | undefined,
  memory: () => Memory | undefined,
): Tools<StepView> {
  const { identity } = incident;
  const action = deps.actions.find(({ name }) => name === step.action);
  const cluster = deps.clusters.get(step.cluster);
  const params = action?.params.safeParse(step.params);
  if (!action || !cluster || !params?.success || !identity) throw unknownStep(step);
  const { now } = deps.clock;
  const held = heldFor(identity, step.cluster, token);
  const tools: StepView = {
    cluster,
    identity,
    today: new Date(now()).toISOString().slice(0, 10),
    ...(held ? { token: held } : {}),
    facts: lastDone(incident, step)?.facts,
    get memory() {
      return memory() ?? {};
    },
    now,
  };
  return { action, params: params.data, tools };
}

/** Shortest time between two notes of progress. */
const PROGRESS_EVERY_MS = 3000;
/** How often a step that only waits looks whether it is still its own. */
const LOOK_EVERY_MS = 5000;

type Pen = Pick<StepTools, 'remember' | 'progress' | 'signal' | 'sleep'>;

function pen(deps: WorkerDeps, session: Session, place: StepAt, mine: Claim): Pen {
  const { now } = deps.clock;
  const signal = AbortSignal.any([deps.stopping, mine.lost]);
  const at = { run: place.run, step: place.step.id };
  let shownAt = Number.NEGATIVE_INFINITY;
  let unshown: Progress | undefined;

  const check = (isStill: boolean): void => {
    mine.check(isStill);
    if (signal.aborted) throw interrupted(place);
  };
  const write = async (event: EventBody): Promise<void> => {
    check(true);
    check(await change(deps, session, (incident) => (isMine(incident, place) ? [event] : undefined)));
  };
  const show = async (): Promise<void> => {
    if (unshown === undefined || now() < shownAt + PROGRESS_EVERY_MS) return;
    const event: EventBody = { type: 'step-progressed', ...at, ...unshown };
    unshown = undefined;
    shownAt = now();
    await write(event);
    await enqueue(deps, session);
  };
  const lookAgain = async (): Promise<void> => {
    if (now() < session.seenAt + LOOK_EVERY_MS) return;
    check((await refresh(deps, session)) && isMine(session.incident, place));
  };
  return {
    signal,
    remember: (note) => write({ type: 'step-noted', ...at, note }),
    progress: (progress) => {
      unshown = progress;
      return show();
    },
    async sleep(ms) {
      await show();
      // What could not be shown yet is shown as soon as it may, and not only after the whole wait.
      const first = unshown === undefined ? ms : Math.min(ms, shownAt + PROGRESS_EVERY_MS - now());
      await deps.sleep(first, signal);
      if (first < ms) {
        await show();
        await deps.sleep(ms - first, signal);
      }
      check(true);
      await lookAgain();
    },
  };
}
