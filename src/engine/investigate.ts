// From an alert to a plan: identify, contain at once where policy allows, then look around and propose.
import { whyNobody } from '../domain/escalation.ts';
import type { EventBody } from '../domain/incident.ts';
import type { TokenIdentity } from '../domain/token-identity.ts';
import type { Secret } from '../secret.ts';
import { QUARANTINE } from './auto-contain.ts';
import { containAtOnce, containmentSteps } from './contain-at-once.ts';
import type { Search } from './copies.ts';
import type { WorkerDeps } from './deps.ts';
import { identify } from './identify.ts';
import { lookAround } from './look-around.ts';
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
  await deps.unhurried(() => proposeFor(deps, session, identity));
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

/** What was seen and what is proposed, written into the log as the policy leaves it. */
async function proposeFor(deps: WorkerDeps, session: Session, identity: TokenIdentity): Promise<void> {
  const { fingerprint, goal } = session.incident;
  const searchOn = (name: string): Search => ({
    namespaces: deps.settings.searchNamespaces[name] ?? [],
    fingerprint: (token) => deps.vault.fingerprint(token),
    leaked: fingerprint,
  });
  const lookout = { ...deps, pace: deps.settings.pace, searchOn };
  const { situations, plan: proposed } = await lookAround(lookout, goal, identity);
  const { plan, expiry } = underPolicy(deps, { ...session.incident, identity, situations }, proposed);
  const { policy } = deps.settings;
  // Counted under the plan that is about to be the present one.
  const nobody = whyNobody({ ...session.incident, identity, situations, plan }, policy);
  const proposal = { type: 'plan-proposed' as const, plan, policy: policy.version, expiry };
  await change(deps, session, ({ stale }) =>
    stale
      ? [
          { type: 'situation-observed', situations },
          { ...proposal, ...(nobody !== undefined && { nobody }) },
        ]
      : undefined,
  );
}
