// After a kill: asks until every cluster refuses the token, twice, or says that it does not; and asks again much later.

import type { ProofRound } from '../domain/evidence.ts';
import type { EventBody, Incident } from '../domain/incident.ts';
import { judgeProof } from '../domain/judge-proof.ts';
import { unknown } from '../domain/outcome.ts';
import { AppError } from '../errors.ts';
import { resources } from '../ports.ts';
import type { Secret } from '../secret.ts';
import type { WorkerDeps } from './deps.ts';
import { probeRound } from './probe.ts';
import { change, type Session } from './session.ts';

type Token = Secret | undefined;

async function rounds(deps: WorkerDeps, incident: Incident, token: Token): Promise<ProofRound[]> {
  const { identity } = incident;
  if (identity === undefined) return [];
  return await Promise.all(
    identity.clusters.map(async (name): Promise<ProofRound> => {
      const cluster = deps.clusters.get(name);
      if (cluster) return await probeRound(deps, incident, identity, cluster, token);
      const outcome = unknown(`the cluster ${name} is no longer configured, so it cannot be asked`);
      return {
        cluster: name,
        level: 'object-state',
        at: new Date(deps.clock.now()).toISOString(),
        answers: [],
        outcome,
      };
    }),
  );
}

export async function prove(deps: WorkerDeps, session: Session, token: Token): Promise<void> {
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
      events.push({ type: 'reopened', reason: `the token is not dead: ${judged.reason}` });
    return events;
  });
}

/** Tries of one re-check before it is recorded as unknown. */
const MAX_TRIES = 5;

export async function recheck(deps: WorkerDeps, session: Session, token: Token): Promise<void> {
  const index = session.incident.rechecks.length;
  const asked = session.incident.proof?.killedAt;
  const answers = await rounds(deps, session.incident, token);
  const alive = answers.find(({ outcome }) => outcome.verdict === 'not-done');
  const unclear = answers.find(({ outcome }) => outcome.verdict === 'unknown');
  const tries = session.incident.troubles.recheck?.count ?? 0;
  if (!alive && unclear && tries + 1 < MAX_TRIES)
    throw new AppError('unreachable', `Re-check on ${unclear.cluster}: ${unclear.outcome.detail}`, {
      retry: true,
    });
  const outcome = (alive ?? unclear ?? answers[0])?.outcome ?? unknown('no cluster to ask');
  const culprit = alive ? await whoRestored(deps, session.incident, alive.cluster) : '';
  await change(deps, session, ({ proof, rechecks }) => {
    if (rechecks.length !== index || proof?.killedAt !== asked) return undefined;
    const events: EventBody[] = [{ type: 'rechecked', index, outcome }];
    if (alive)
      events.push({
        type: 'reopened',
        reason: `the token works again on ${alive.cluster}: ${alive.outcome.detail}.${culprit}`,
      });
    return events;
  });
}

/** Names the field managers of the Secret, newest first: who re-created it or took the label off. */
async function whoRestored(deps: WorkerDeps, { identity }: Incident, clusterName: string): Promise<string> {
  const cluster = deps.clusters.get(clusterName);
  if (cluster === undefined || identity?.boundTo?.kind !== 'Secret') return '';
  const { namespace, boundTo } = identity;
  const ref = { resource: resources.secrets, namespace, name: boundTo.name };
  const found = await cluster.get(ref, { metadataOnly: true }).catch(() => null);
  if (found === null) return '';
  const { creationTimestamp, managedFields = [] } = found.metadata;
  const newestFirst = managedFields.toSorted((a, b) => (b.time ?? '').localeCompare(a.time ?? ''));
  const managers = [...new Set(newestFirst.flatMap(({ manager }) => manager ?? []))];
  return ` Secret ${namespace}/${boundTo.name} (created ${creationTimestamp ?? 'at an unknown time'}) was last written by: ${managers.join(', ') || 'unknown'}.`;
}
