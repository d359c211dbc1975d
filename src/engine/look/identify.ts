// Finds out which token leaked and which clusters accept it: offline from its claims, or from coordinates or a hash.
import type { Incident, Run, StepState } from '../../domain/incident/incident.ts';
import { begunWith, takesBack } from '../../domain/incident/runs.ts';
import { kills } from '../../domain/plan/plan.ts';
import type { Coordinates } from '../../domain/token/identity.ts';
import type { Secret } from '../../secret.ts';
import type { LookDeps } from '../ground/deps.ts';
import { locate } from './by-coordinates.ts';
import { byHash } from './by-hash.ts';
import { identifyToken } from './by-token.ts';
import type { Identified } from './identified.ts';

/** Throws AppError (retry) only where nothing could be asked; a token nobody can place is an answer, never a guess. */
export async function identify(
  deps: LookDeps,
  incident: Incident,
  token: Secret | undefined,
): Promise<Identified> {
  if (isKilledSinceNamed(incident) && incident.identity) return { identity: incident.identity };
  if (incident.given) return await placed(deps, incident, incident.given);
  if (token) return await identifyToken(deps.clusters, token);
  // Read from the token when there still was one; it is destroyed in time, and who it belonged to stays true.
  if (incident.fingerprint !== undefined && incident.identity) return { identity: incident.identity };
  const subject = incident.alerts.findLast(({ alert }) => alert.subject.kind !== 'unnamed')?.alert.subject;
  if (subject?.kind === 'coordinates') return await placed(deps, incident, subject.at);
  if (subject?.kind === 'hmsl-hash') return await byHash(deps, subject.hash);
  return {
    unidentified: 'The alert does not say which token leaked. Say where it belongs, or paste the token.',
    near: [],
  };
}

/** What was found there once stays what is meant, also when it is gone: it may be we who deleted it. */
async function placed({ clusters }: LookDeps, { identity }: Incident, at: Coordinates): Promise<Identified> {
  const located = await locate(clusters, at);
  if ('identity' in located || identity?.authenticity !== 'coordinates') return located;
  const same =
    identity.namespace === at.namespace &&
    identity.boundTo?.name === at.secret &&
    (at.serviceAccount === undefined || identity.serviceAccount.name === at.serviceAccount) &&
    (at.cluster === undefined || identity.clusters.includes(at.cluster));
  return same ? { identity } : located;
}

/** Whoever gave a name meant what had it then; by our own kill another may have it since, or none. */
function isKilledSinceNamed({ identity, about, runs, alerts, decisions }: Incident): boolean {
  if (identity?.authenticity !== 'coordinates') return false;
  const named = [
    alerts.findLast((one) => one.alert.subject.kind === 'coordinates'),
    decisions.findLast(({ decision }) => decision.verb === 'identify'),
  ];
  // Of the same moment are many things where a clock is coarse.
  const isSince = (run: Run, { endedAt = '' }: StepState): boolean =>
    named.every((one) => one === undefined || begunWith(run) > one.v || endedAt > one.at);
  const isKill = ({ step, outcome }: StepState): boolean =>
    kills(step) && !step.reversible && outcome?.verdict === 'done';
  return runs
    .filter((run) => run.about === about && !takesBack(run))
    .some((run) => run.steps.some((state) => isKill(state) && isSince(run, state)));
}
