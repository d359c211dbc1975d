// From an alert to a plan: identify, contain at once where policy allows, then look around and propose.
import { whyNobody } from '../../domain/decision/nobody.ts';
import type { EventBody } from '../../domain/incident/events.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { aboutOf, DEFAULT_LOOKS, isStoppedOn } from '../../domain/incident/sightings.ts';
import type { ProofRound } from '../../domain/proof/evidence.ts';
import type { Situation } from '../../domain/situation/situation.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';
import type { Secret } from '../../secret.ts';
import { type Automatic, QUARANTINE } from '../act/auto-contain.ts';
import { containAtOnce, containmentSteps } from '../act/contain-at-once.ts';
import { notesOfRehearsal } from '../act/rehearse.ts';
import { underPolicy } from '../act/under-policy.ts';
import type { WorkerDeps } from '../ground/deps.ts';
import { change, enqueue, type Session } from '../ground/session.ts';
import type { Search } from '../look/copies.ts';
import { identify } from '../look/identify.ts';
import { type Lookout, lookAround } from '../look/look-around.ts';
import { judgedByValue } from '../look/stored-value.ts';
import { keyIsGone, lookOn } from '../prove/look.ts';
import { worksAgain } from '../prove/works-again.ts';

export async function investigate(
  deps: WorkerDeps,
  session: Session,
  token: Secret | undefined,
): Promise<void> {
  const asked = session.incident;
  const result = await identify(deps, asked, token);
  if ('unidentified' in result) {
    const event: EventBody = { type: 'unidentified', reason: result.unidentified, near: result.near };
    await change(deps, session, (now) => (now.stale && sameQuestion(asked, now) ? [event] : undefined));
    return;
  }
  const { found } = result;
  const identity = keepingClusters(deps, session.incident, result.identity, result.found ?? token);
  const identified: EventBody = {
    type: 'identified',
    identity,
    ...(found ? { fingerprint: deps.vault.fingerprint(found) } : {}),
  };
  const atOnce = { identity, token, before: [identified], steps: containmentSteps(deps, identity) };
  const contained = await containAtOnce(deps, session, atOnce);
  if (contained !== 'yes') {
    const seal = found ? { seal: { token: found, ttlMs: deps.settings.timing.keepTokenFor } } : {};
    await change(
      deps,
      session,
      ({ stale }) => (stale ? [identified, ...skipped(contained)] : undefined),
      seal,
    );
  }
  await enqueue(deps, session);
  await deps.unhurried(() => proposeFor(deps, session, identity, token, asked));
  if (contained === 'not-wanted') await containLater(deps, session, identity, token);
}

/** A cluster that was found later to accept this very token is not forgotten because it cannot be found again now. */
function keepingClusters(
  { clusters, vault }: WorkerDeps,
  { identity: before, about, fingerprint }: Incident,
  identity: TokenIdentity,
  token: Secret | undefined,
): TokenIdentity {
  const now = token ? vault.fingerprint(token) : fingerprint;
  if (before === undefined || about !== aboutOf(identity, now)) return identity;
  const kept = before.clusters.filter((name) => clusters.has(name) && !identity.clusters.includes(name));
  const { unchecked = [], ...rest } = identity;
  // A key that was shown then is enough: it may be shown no more, and who the token belonged to stays true.
  const verified = before.authenticity === 'signature' && identity.authenticity === 'claims';
  const left = unchecked.filter((name) => !kept.includes(name));
  return {
    ...rest,
    ...(verified && { authenticity: 'signature' as const }),
    clusters: [...identity.clusters, ...kept],
    ...(left.length > 0 ? { unchecked: left } : {}),
  };
}

const livenessOf = ({ outcome: { verdict, detail }, voids }: ProofRound): Situation['liveness'] => {
  const alive = { done: 'dead', 'not-done': 'alive', unknown: 'unknown' } as const;
  return { alive: alive[verdict], reason: detail, ...(voids && { voids }) };
};

/** A person who has named another token meanwhile is owed an answer about that one, and not about this. */
const sameQuestion = (before: Incident, now: Incident): boolean =>
  named(before) === named(now) && JSON.stringify(before.goal) === JSON.stringify(now.goal);

const named = ({ decisions }: Incident): number =>
  decisions.filter(({ decision }) => decision.verb === 'identify').length;

const skipped = (contained: Automatic): EventBody[] =>
  typeof contained === 'string' ? [] : [{ type: 'auto-contain-skipped', reason: contained.refused }];

/** A rule that looks at labels or at what a thief could do can only be decided once somebody has looked. */
async function containLater(
  deps: WorkerDeps,
  session: Session,
  identity: TokenIdentity,
  token: Secret | undefined,
): Promise<void> {
  const steps = (session.incident.plan?.steps ?? []).filter(({ action }) => action === QUARANTINE);
  if (steps.length === 0) return;
  const contained = await containAtOnce(deps, session, { identity, token, before: [], steps });
  const told = skipped(contained);
  if (told.length > 0) await change(deps, session, () => told);
}

/** What was seen and what is proposed, written into the log as the policy leaves it. */
async function proposeFor(
  deps: WorkerDeps,
  session: Session,
  identity: TokenIdentity,
  token: Secret | undefined,
  question: Incident,
): Promise<void> {
  const { fingerprint, goal } = session.incident;
  const searchOn = (name: string): Search => ({
    namespaces: deps.settings.searchNamespaces[name] ?? [],
    fingerprint: (token) => deps.vault.fingerprint(token),
    leaked: fingerprint,
  });
  const judge: Lookout['judge'] = async (cluster, liveness) => {
    const { incident } = session;
    const judged = await judgedByValue(deps, incident, identity, cluster, liveness, token);
    if (judged.alive !== 'alive' || !(await keyIsGone(deps, incident, identity, cluster, token)))
      return judged;
    // The objects may be there and the token dead all the same.
    return livenessOf(await lookOn(deps, incident, identity, cluster, token));
  };
  const lookout = { ...deps, pace: deps.settings.pace, searchOn, judge };
  const asked = session.incident;
  const { situations, plan: proposed } = await lookAround(lookout, goal, identity);
  const seen = { ...session.incident, identity, situations };
  const { plan: allowed, expiry } = underPolicy(deps, seen, proposed);
  const refusals = await notesOfRehearsal(deps, seen, allowed.steps);
  const plan = { ...allowed, notes: [...refusals, ...allowed.notes] };
  const { policy } = deps.settings;
  // Counted under the plan that is about to be the present one.
  const nobody = whyNobody({ ...seen, plan }, policy);
  const { lookAfter = DEFAULT_LOOKS, recheckAfter } = deps.settings.timing;
  const ladders = { looks: [...lookAfter], rechecks: [...recheckAfter] };
  const proposal = { type: 'plan-proposed' as const, plan, policy: policy.version, expiry, ...ladders };
  const again = await tellAgain(deps, session.incident, situations);
  await change(deps, session, (incident) => {
    // What was done while this looked around makes it history.
    if (!incident.stale || incident.runs.length !== asked.runs.length) return undefined;
    if (!sameQuestion(question, incident)) return undefined;
    return [
      { type: 'situation-observed', situations },
      ...again,
      { ...proposal, ...(nobody !== undefined && { nobody }) },
    ];
  });
}

/** People may have read that it was contained or dead, so that it is not is told like an alarm. */
async function tellAgain(
  deps: WorkerDeps,
  incident: Incident,
  situations: readonly Situation[],
): Promise<EventBody[]> {
  const again = situations.filter(
    ({ cluster, liveness }) => liveness.alive === 'alive' && isStoppedOn(incident, cluster),
  );
  if (again.length === 0) return [];
  const words = again.map(({ cluster, liveness }) => worksAgain(deps, incident, cluster, liveness.reason));
  const reason = (await Promise.all(words)).join('; ');
  return [{ type: 'reopened', reason, clusters: again.map(({ cluster }) => cluster) }];
}
