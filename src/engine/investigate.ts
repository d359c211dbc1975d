// From an alert to a plan: identify, contain at once where policy allows, then look around and propose.
import type { EventBody } from '../domain/incident.ts';
import { dayOf, planFor } from '../domain/planner.ts';
import type { Situation } from '../domain/situation.ts';
import type { TokenIdentity } from '../domain/token-identity.ts';
import { AppError, isAppError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { withAccess } from './access.ts';
import { QUARANTINE } from './auto-contain.ts';
import { containAtOnce, containmentSteps } from './contain-at-once.ts';
import type { WorkerDeps } from './deps.ts';
import { identify } from './identify.ts';
import { observe } from './observe.ts';
import { change, enqueue, type Session } from './session.ts';
import { underPolicy } from './under-policy.ts';

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
  const atOnce = { identity, token, before: [identified], steps: containmentSteps(deps, identity) };
  const refusal = await containAtOnce(deps, session, atOnce);
  if (refusal !== undefined) {
    const seal = found ? { seal: { token: found, ttlMs: deps.settings.timing.keepTokenFor } } : {};
    await change(deps, session, ({ stale }) => (stale ? [identified, ...skipped(refusal)] : undefined), seal);
  }
  await enqueue(deps, session);
  await deps.unhurried(() => lookAround(deps, session, identity));
  if (refusal === 'off') await containLater(deps, session, identity, token);
}

const skipped = (refusal: string): EventBody[] =>
  refusal === 'off' ? [] : [{ type: 'auto-contain-skipped', reason: refusal }];

/** A rule that looks at labels or at what a thief could do can only be decided once somebody has looked. */
async function containLater(
  deps: WorkerDeps,
  session: Session,
  identity: TokenIdentity,
  token: Secret | undefined,
): Promise<void> {
  const steps = (session.incident.plan?.steps ?? []).filter(({ action }) => action === QUARANTINE);
  if (steps.length === 0) return;
  const refusal = await containAtOnce(deps, session, { identity, token, before: [], steps });
  if (refusal !== undefined && refusal !== 'off') await change(deps, session, () => skipped(refusal));
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
  const { goal } = session.incident;
  const now = deps.clock.now();
  const sorted = situations.toSorted((a, b) => a.cluster.localeCompare(b.cluster));
  const seen = await withAccess(deps.clusters, goal, identity, sorted, dayOf(now));
  const proposed = planFor(goal, identity, seen, deps.actions, now, deps.settings.pace);
  const { plan, expiry } = underPolicy(deps, { ...session.incident, identity, situations: seen }, proposed);
  const silent = problems.map(({ message }) => `${message} Its part of the plan is missing.`);
  const unchecked = (identity.unchecked ?? []).map(
    (name) =>
      `${name} could not be asked whether it accepts the token too; if it is a copy of this cluster, it may.`,
  );
  const notes = [...plan.notes, ...silent, ...unchecked];
  const policy = deps.settings.policy.version;
  await change(deps, session, ({ stale }) =>
    stale
      ? [
          { type: 'situation-observed', situations: seen },
          { type: 'plan-proposed', plan: { ...plan, notes }, policy, expiry },
        ]
      : undefined,
  );
}
