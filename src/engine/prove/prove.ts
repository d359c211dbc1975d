// After a kill: asks until every cluster refuses the token, twice, or says that it does not; and asks again much later.
import type { EventBody } from '../../domain/incident/events.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { isLive, isStopped, isStoppedOn } from '../../domain/incident/sightings.ts';
import { unknown } from '../../domain/outcome.ts';
import type { ProofRound } from '../../domain/proof/evidence.ts';
import { judgeProof } from '../../domain/proof/judge-proof.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Secret } from '../../secret.ts';
import type { LookDeps } from '../ground/deps.ts';
import { change, type Session } from '../ground/session.ts';
import { askUnchecked } from '../look/ask-unchecked.ts';
import { lookOn } from './look.ts';
import { probeRound } from './probe.ts';
import { worksAgain } from './works-again.ts';

type Token = Secret | undefined;

async function rounds(deps: LookDeps, incident: Incident, token: Token): Promise<ProofRound[]> {
  const { identity } = incident;
  if (identity === undefined) return [];
  return await Promise.all(
    identity.clusters.map(async (name): Promise<ProofRound> => {
      const cluster = deps.clusters.get(name);
      if (cluster === undefined) return gone(deps, name);
      return await heard(deps, name, () => probeRound(deps, incident, identity, cluster, token));
    }),
  );
}

/** What one cluster cannot tell hides nothing that another does. */
async function heard(deps: LookDeps, cluster: string, ask: () => Promise<ProofRound>): Promise<ProofRound> {
  try {
    return await ask();
  } catch (error) {
    if (!isAppError(error)) throw error;
    return silent(deps, cluster, error.message);
  }
}

const gone = (deps: LookDeps, cluster: string): ProofRound =>
  silent(deps, cluster, `the cluster ${cluster} is no longer configured, so it cannot be asked`);

const silent = ({ clock }: LookDeps, cluster: string, why: string): ProofRound => ({
  cluster,
  level: 'object-state',
  at: new Date(clock.now()).toISOString(),
  answers: [],
  outcome: unknown(why),
});

export async function prove(deps: LookDeps, session: Session, token: Token): Promise<void> {
  const asked = session.incident.proof;
  if (asked === undefined || asked.outcome) return;
  const probed = await rounds(deps, session.incident, token);
  await change(deps, session, ({ proof, identity }) => {
    // Only for the kill that was asked about: an undo or a new kill meanwhile makes these answers history.
    if (!proof || proof.outcome || !identity || proof.killedAt !== asked.killedAt) return undefined;
    if (proof.rounds.length !== asked.rounds.length) return undefined;
    const all = [...proof.rounds, ...probed];
    const judged = judgeProof(
      { ...proof, rounds: all },
      identity.clusters,
      deps.settings.giveUpAfter,
      deps.clock.now(),
    );
    const events: EventBody[] = [{ type: 'probed', rounds: probed }];
    if (judged.kind === 'proved') events.push({ type: 'proved', outcome: judged.outcome });
    if (judged.kind === 'alive')
      events.push({
        type: 'reopened',
        reason: `the token is not dead: ${judged.reason}`,
        clusters: judged.clusters,
      });
    return events;
  });
}

/** Tries of one look before it is recorded as unknown. */
const MAX_TRIES = 5;

export async function recheck(deps: LookDeps, session: Session, token: Token): Promise<void> {
  const asked = session.incident;
  const { identity } = asked;
  if (identity === undefined) return;
  const wider = await askUnchecked(deps, asked, token);
  if (wider) return await widen(deps, session, wider);
  const answers = await looks(deps, asked, identity, token);
  const alive = answers.filter(({ outcome }) => outcome.verdict === 'not-done');
  const unclear = answers.find(({ outcome }) => outcome.verdict === 'unknown');
  const tries = asked.troubles.recheck?.count ?? 0;
  if (alive.length === 0 && unclear && tries + 1 < MAX_TRIES)
    throw new AppError('unreachable', `Looking again on ${unclear.cluster}: ${unclear.outcome.detail}`, {
      retry: true,
    });
  const again = alive.filter(({ cluster }) => wasStopped(asked, cluster));
  const told = (
    await Promise.all(again.map(({ cluster, outcome }) => worksAgain(deps, asked, cluster, outcome.detail)))
  ).join('; ');
  await change(deps, session, (incident) => {
    // An undo, a kill or another look meanwhile makes these answers history.
    if (!sameLook(asked, incident)) return undefined;
    const outcome = (alive[0] ?? unclear ?? answers[0])?.outcome ?? unknown('no cluster to ask');
    const events: EventBody[] = [
      { type: 'rechecked', index: incident.rechecks.length, outcome, rounds: answers },
    ];
    if (again.length > 0)
      events.push({ type: 'reopened', reason: told, clusters: again.map(({ cluster }) => cluster) });
    return events;
  });
}

const sameLook = (a: Incident, b: Incident): boolean =>
  a.looks?.since === b.looks?.since &&
  a.looks?.count === b.looks?.count &&
  a.about === b.about &&
  a.proof?.killedAt === b.proof?.killedAt &&
  a.runs.length === b.runs.length;

/** Anybody may have read that it is dead or contained there. */
export const wasStopped = (incident: Incident, cluster: string): boolean =>
  isStoppedOn(incident, cluster) || (incident.proof !== undefined && !isLive(incident));

/** A cluster that was away accepts it too, or could be asked at last: all that follows from that is found out anew. */
async function widen(deps: LookDeps, session: Session, identity: TokenIdentity): Promise<void> {
  const asked = session.incident;
  const more = identity.clusters.filter((name) => !asked.identity?.clusters.includes(name));
  const claimed = more.length > 0 && (asked.closed !== undefined || isStopped(asked));
  await change(deps, session, (incident) => {
    if (!sameLook(asked, incident)) return undefined;
    const events: EventBody[] = [{ type: 'identified', identity }];
    const reason = `${more.join(', ')} could not be asked before, and signed this token too`;
    if (claimed) events.push({ type: 'reopened', reason, clusters: more });
    return events;
  });
}

async function looks(
  deps: LookDeps,
  incident: Incident,
  identity: TokenIdentity,
  token: Token,
): Promise<ProofRound[]> {
  return await Promise.all(
    identity.clusters.map(async (name) => {
      const cluster = deps.clusters.get(name);
      if (cluster === undefined) return gone(deps, name);
      return await heard(deps, name, () => lookOn(deps, incident, identity, cluster, token));
    }),
  );
}
