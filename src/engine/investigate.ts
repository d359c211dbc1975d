// From an alert to a plan: identify, contain at once where policy allows, then look around and propose.
import type { EventBody } from '../domain/incident.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Step } from '../domain/plan.ts';
import { makeStep, planFor } from '../domain/planner.ts';
import type { Situation } from '../domain/situation.ts';
import type { TokenIdentity } from '../domain/token-identity.ts';
import { AppError, isAppError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { mayAutoContain } from './auto-contain.ts';
import type { WorkerDeps } from './deps.ts';
import { identify } from './identify.ts';
import { observe } from './observe.ts';
import { performStep } from './run-job.ts';
import { append, change, enqueue, type Session } from './session.ts';
import { trouble } from './trouble.ts';

const HOUR = 3_600_000;

export async function investigate(
  deps: WorkerDeps,
  session: Session,
  token: Secret | undefined,
): Promise<void> {
  const result = await identify(deps, session.incident, token);
  if ('unidentified' in result) {
    const event: EventBody = { type: 'unidentified', reason: result.unidentified, near: result.near };
    await change(deps, session, ({ stale }) => (stale ? [event] : undefined));
    return;
  }
  const { identity, found } = result;
  const identified: EventBody = {
    type: 'identified',
    identity,
    ...(found ? { fingerprint: deps.vault.fingerprint(found) } : {}),
  };
  let refusal: string | undefined;
  let contained: Contained | 'refused' = 'refused';
  do {
    refusal = await mayAutoContain(deps, session.incident, identity, token);
    if (refusal === undefined) contained = await containAtOnce(deps, session, identity, identified, token);
  } while (refusal === undefined && contained === 'conflict');
  if (contained !== 'contained') {
    if (contained === 'over-budget') refusal = overBudget(deps);
    const why: EventBody[] =
      refusal && refusal !== 'off' ? [{ type: 'auto-contain-skipped', reason: refusal }] : [];
    const seal = found ? { seal: { token: found, ttlMs: deps.settings.timing.keepTokenFor } } : {};
    await change(deps, session, ({ stale }) => (stale ? [identified, ...why] : undefined), seal);
  }
  await enqueue(deps, session);
  await lookAround(deps, session, identity);
}

type Contained = 'contained' | 'conflict' | 'over-budget';

const overBudget = ({ settings }: WorkerDeps): string =>
  `the budget of ${settings.autoContainPerHour} automatic containments an hour is used up, which may mean a poisoned alert feed: a person must press the button`;

/** The kill. Everything before it is one load and one append; the patch is the first Kubernetes call. */
async function containAtOnce(
  deps: WorkerDeps,
  session: Session,
  identity: TokenIdentity,
  identified: EventBody,
  token: Secret | undefined,
): Promise<Contained> {
  const steps = containmentSteps(deps, identity);
  const run = `contain-${session.incident.version + 2}`; // a run is named after the version of its event, see fold.ts
  const started = steps.map((step): EventBody => ({ type: 'step-started', run, step: step.id, attempt: 1 }));
  const events: EventBody[] = [
    identified,
    { type: 'auto-contained', steps, rule: 'autoContain: token-in-hand' },
    ...started,
  ];
  const budget = { name: 'auto-contain', limit: deps.settings.autoContainPerHour, windowMs: HOUR };
  const result = await append(deps, session, events, { budget });
  if (result !== 'appended') return result;
  await performAll(deps, session, run, steps, token);
  return 'contained';
}

function containmentSteps({ actions }: WorkerDeps, { clusters, namespace, boundTo }: TokenIdentity): Step[] {
  const quarantine = actions.find(({ name }) => name === 'quarantine-token');
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
    steps.map(async (step): Promise<[Step, Outcome | AppError]> => {
      try {
        return [step, await performStep(deps, session, { run, step, attempt: 1 }, token)];
      } catch (error) {
        if (isAppError(error)) return [step, error];
        throw error;
      }
    }),
  );
  const events = outcomes.map(
    ([step, outcome]): EventBody =>
      outcome instanceof AppError
        ? trouble('run', outcome)
        : { type: 'step-ended', run, step: step.id, outcome },
  );
  const failed = outcomes.find(([, outcome]) => !(outcome instanceof AppError) && outcome.verdict !== 'done');
  if (failed) events.push({ type: 'run-stopped', run, reason: (failed[1] as Outcome).detail });
  await change(deps, session, () => events);
}

async function lookAround(deps: WorkerDeps, session: Session, identity: TokenIdentity): Promise<void> {
  const situations: Situation[] = [];
  const problems: AppError[] = [];
  await Promise.all(
    identity.clusters.map(async (name) => {
      const cluster = deps.clusters.get(name);
      if (cluster === undefined) return;
      try {
        situations.push(await observe(cluster, identity, deps.clock.now()));
      } catch (error) {
        if (!isAppError(error)) throw error;
        problems.push(error);
      }
    }),
  );
  if (situations.length === 0)
    throw problems[0] ?? new AppError('not-found', 'No configured cluster is left to look at.');
  const seen = situations.toSorted((a, b) => a.cluster.localeCompare(b.cluster));
  const plan = planFor(session.incident.goal, identity, seen, deps.actions, deps.clock.now());
  const silent = problems.map(({ message }) => `${message} Its part of the plan is missing.`);
  const unchecked = (identity.unchecked ?? []).map(
    (name) =>
      `${name} could not be asked whether it accepts the token too; if it is a copy of this cluster, it may.`,
  );
  await change(deps, session, ({ stale }) =>
    stale
      ? [
          { type: 'situation-observed', situations: seen },
          { type: 'plan-proposed', plan: { ...plan, notes: [...plan.notes, ...silent, ...unchecked] } },
        ]
      : undefined,
  );
}
