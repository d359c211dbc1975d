// The kill that waits for nobody: written, carried out, and written again, as far as the policy and its guards allow.
import type { EventBody } from '../../domain/incident/events.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { Step } from '../../domain/plan/plan.ts';
import { makeStep } from '../../domain/plan/planner.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Secret } from '../../secret.ts';
import type { WorkerDeps } from '../ground/deps.ts';
import { append, change, type Session } from '../ground/session.ts';
import { trouble } from '../ground/trouble.ts';
import {
  type Automatic,
  automaticBudgets,
  autoRule,
  mayAutoContain,
  overBudget,
  QUARANTINE,
} from './auto-contain.ts';
import { isMine, type StepAt } from './fence.ts';
import { performStep } from './run-job.ts';

export interface AtOnce {
  identity: TokenIdentity;
  token: Secret | undefined;
  /** What is written in the same breath, before it. */
  before: EventBody[];
  steps: Step[];
}

/** `yes`: contained, or at least begun. */
export async function containAtOnce(
  deps: WorkerDeps,
  session: Session,
  { identity, token, before, steps }: AtOnce,
): Promise<Automatic> {
  for (;;) {
    const may = await mayAutoContain(deps, session.incident, identity, token);
    if (may !== 'yes') return may;
    // A run is named after the version of its event, see fold.ts.
    const run = `contain-${session.incident.version + before.length + 1}`;
    const rule = autoRule(deps, { ...session.incident, identity });
    const policy = deps.settings.policy.version;
    const events: EventBody[] = [
      ...before,
      { type: 'auto-contained', steps, rule, policy },
      ...steps.map((step): EventBody => ({ type: 'step-started', run, step: step.id, attempt: 1 })),
    ];
    const result = await append(deps, session, events, { budgets: automaticBudgets(deps, identity) });
    if (result === 'conflict') continue;
    if (result !== 'appended') return { refused: overBudget(deps, identity, result.overBudget) };
    await performAll(deps, session, run, steps, token);
    return 'yes';
  }
}

export function containmentSteps(
  { actions }: WorkerDeps,
  { clusters, namespace, boundTo }: TokenIdentity,
): Step[] {
  const quarantine = actions.find(({ name }) => name === QUARANTINE);
  if (quarantine === undefined || boundTo === undefined) return [];
  return clusters.map((cluster, index) => ({
    ...makeStep(quarantine, { namespace, secret: boundTo.name }, cluster),
    id: `${quarantine.name}-${index + 1}`,
  }));
}

/** Clones are killed side by side; a failure is left for the run job, which retries it. */
async function performAll(
  deps: WorkerDeps,
  session: Session,
  run: string,
  steps: Step[],
  token: Secret | undefined,
): Promise<void> {
  const outcomes = await Promise.all(
    steps.map(async (step): Promise<[StepAt, Outcome | AppError]> => {
      const place = { run, step, attempt: 1 };
      try {
        return [place, await performStep(deps, session, place, token)];
      } catch (error) {
        if (isAppError(error)) return [place, error];
        throw error;
      }
    }),
  );
  await change(deps, session, (incident) => {
    // A job that took one up meanwhile says how it ended.
    const own = outcomes.filter(([place]) => isMine(incident, place));
    return own.length > 0 ? endsOf(run, own) : undefined;
  });
}

function endsOf(run: string, outcomes: [StepAt, Outcome | AppError][]): EventBody[] {
  const events = outcomes.map(
    ([{ step }, outcome]): EventBody =>
      outcome instanceof AppError
        ? trouble('run', outcome)
        : { type: 'step-ended', run, step: step.id, outcome },
  );
  const failed = outcomes.find(([, outcome]) => !(outcome instanceof AppError) && outcome.verdict !== 'done');
  if (failed) events.push({ type: 'run-stopped', run, reason: (failed[1] as Outcome).detail });
  return events;
}
