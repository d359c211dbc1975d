// What time alone brings: a plan nobody approved, a proven incident to close, a token to destroy.
import type { EventBody } from '../../domain/incident/events.ts';
import { isSoaking } from '../../domain/incident/runs.ts';
import { isStopped, unasked } from '../../domain/incident/sightings.ts';
import { overWithoutProof } from '../../domain/owed/due.ts';
import { EARLY_MS } from '../../domain/owed/timing.ts';
import { isDryRun } from '../../domain/plan/goal.ts';
import type { WorkerDeps } from '../ground/deps.ts';
import { change, type Session } from '../ground/session.ts';

export async function expire(deps: WorkerDeps, session: Session): Promise<void> {
  const { planAt } = session.incident;
  await change(deps, session, (incident) =>
    incident.status === 'awaiting-approval' && incident.planAt === planAt
      ? [{ type: 'plan-expired' }]
      : undefined,
  );
}

const DRY_RUN: EventBody = {
  type: 'closed',
  as: 'dry-run',
  reason: 'this was a dry run: the plan is shown, and nothing was changed',
};
const RESTARTED: EventBody = {
  type: 'closed',
  as: 'resolved',
  reason: 'every Pod of the plan was replaced; nothing was revoked',
};

export async function remind(deps: WorkerDeps, session: Session): Promise<void> {
  const { planAt, reminders } = session.incident;
  await change(deps, session, (incident) =>
    incident.status === 'awaiting-approval' && incident.planAt === planAt && incident.reminders === reminders
      ? [{ type: 'reminded', count: reminders + 1 }]
      : undefined,
  );
}

export async function close(deps: WorkerDeps, session: Session): Promise<void> {
  await change(deps, session, (incident) => {
    const { closed, proof, identity, runs, goal } = incident;
    if (overWithoutProof(incident) !== undefined) return [isDryRun(goal) ? DRY_RUN : RESTARTED];
    if (closed || proof?.outcome?.verdict !== 'done') return undefined;
    if (incident.unidentified || !isStopped(incident) || unasked(incident).length > 0) return undefined;
    const expired =
      identity?.expiresAt !== undefined && identity.expiresAt * 1000 <= deps.clock.now() + EARLY_MS;
    const nothingDone = runs.length === 0;
    const event: EventBody = expired
      ? { type: 'closed', as: 'expired', reason: `the token has expired; ${proof.outcome.detail}` }
      : {
          type: 'closed',
          as: 'resolved',
          reason: nothingDone ? `it was dead already; ${proof.outcome.detail}` : proof.outcome.detail,
        };
    return [event];
  });
}

export async function soak(deps: WorkerDeps, session: Session): Promise<void> {
  await change(deps, session, (incident) =>
    isSoaking(incident) && incident.proof?.outcome?.verdict === 'done' && isStopped(incident)
      ? [{ type: 'soaked' }]
      : undefined,
  );
}

export async function forgetToken(deps: WorkerDeps, session: Session): Promise<void> {
  await deps.vault.destroy(session.incident.id);
  await change(deps, session, ({ tokenHeld, closed }) =>
    tokenHeld
      ? [
          {
            type: 'token-forgotten',
            reason: closed ? `the incident is closed (${closed.as})` : 'it was kept as long as agreed',
          },
        ]
      : undefined,
  );
}
