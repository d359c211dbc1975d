// How an incident stands, for a terminal: one line, whom it waits for, and whether the token is proven dead.
import { headline } from '../../adapters/slack/headline.ts';
import { planVotes } from '../../domain/going-on.ts';
import type { Incident } from '../../domain/incident.ts';
import { neededFor } from '../../domain/needed.ts';
import { owesOutside } from '../../domain/outside.ts';
import type { Policy } from '../../domain/policy.ts';
import { askWords } from '../../domain/policy-text.ts';
import { isContained, isSoaking, openRun, pendingSteps } from '../../domain/runs.ts';
import { isLive, isStopped, oldestSighting, staleSince, unasked } from '../../domain/sightings.ts';
import { openReviews } from '../../domain/votes.ts';
import { printable } from '../input.ts';

/** The headline of its card, without the mark. */
export const standing = (incident: Incident, now: number): string =>
  printable(headline(incident, now).replace(/^\P{L}+/u, ''));

/** Refused at the last proof and at every look since, on every cluster that may accept it. */
export const isProvenDead = (incident: Incident, now: number): boolean =>
  incident.proof?.outcome?.verdict === 'done' && isStopped(incident) && !isDoubtful(incident, now);

/** What was seen too long ago, not everywhere, or is about a token that a person has still to name, is no claim. */
const isDoubtful = (incident: Incident, now: number): boolean =>
  staleSince(incident, now) !== undefined ||
  unasked(incident).length > 0 ||
  incident.unidentified !== undefined ||
  incident.closed?.as === 'false-alarm';

/** Nobody has to do anything about the token any more. */
export const isOver = (incident: Incident, now: number): boolean =>
  isProvenDead(incident, now) ||
  (!isLive(incident) && ['resolved', 'false-alarm'].includes(incident.closed?.as ?? ''));

export function waitsFor(incident: Incident, policy: Policy): string {
  const [review] = openReviews(incident);
  if (review) return `somebody who reviews the break-glass of ${review.by}`;
  if (incident.closed) return 'nobody';
  if (incident.paused) return 'an approver who lets Tourniquet go on: it is paused';
  if (incident.unidentified) return 'a person who says which token it is';
  if (openRun(incident)) return 'the worker';
  if (isSoaking(incident)) return 'the end of the waiting time, unless somebody cancels it';
  if (pendingSteps(incident).length > 0) return approval(incident, policy);
  if (unasked(incident).length > 0)
    return `${unasked(incident).join(', ')}, which could not be asked yet, or an approver who leaves it out`;
  if (owesOutside(incident)) return 'somebody who says whether anything outside the cluster used the token';
  return 'the worker';
}

function approval(incident: Incident, policy: Policy): string {
  const needed = neededFor(incident, 'approve', policy);
  if (needed.kind === 'never')
    return `nobody: the policy never allows "${needed.step.title}" (rule "${needed.rule}")`;
  const votes = planVotes(incident).length;
  const given = votes > 0 ? `, ${votes} given` : '';
  return `approval by ${needed.asks.map(askWords).join(' and ')}${given}`;
}

/** What was last seen of the token, by whatever means. */
export function lastEvidence(incident: Incident) {
  const { proof, rechecks } = incident;
  const seen = oldestSighting(incident);
  const last = rechecks.at(-1)?.outcome ?? proof?.outcome;
  if (seen === undefined) return undefined;
  const verdict = {
    accepted: 'alive',
    labelled: 'quarantined',
    gone: 'dead',
    refused: 'done',
    unknown: 'unknown',
  };
  // Before any proof the objects' own words are used, as they always were.
  if (last === undefined || seen.saw === 'accepted')
    return {
      at: seen.at,
      verdict: verdict[seen.saw],
      detail: `${seen.detail} (${seen.by.replace('-', ' ')})`,
    };
  return { at: seen.at, verdict: last.verdict, detail: last.detail };
}

/** Documented in docs/cli.md: what is here stays; more may come. */
export function incidentJson(incident: Incident, policy: Policy, now: number) {
  const { id, status, goal, openedAt, updatedAt, closed, identity, alerts } = incident;
  const alert = alerts[0]?.alert;
  const since = staleSince(incident, now);
  return {
    id,
    status,
    standing: standing(incident, now),
    goal: goal.do,
    openedAt,
    updatedAt,
    ...(closed ? { closed: { as: closed.as, at: closed.at, reason: closed.reason } } : {}),
    source: alert?.source,
    ...(alert?.where ? { where: alert.where } : {}),
    ...(alert?.severity ? { severity: alert.severity } : {}),
    ...(identity
      ? {
          token: {
            kind: identity.kind,
            clusters: identity.clusters,
            namespace: identity.namespace,
            serviceAccount: identity.serviceAccount.name,
          },
        }
      : {}),
    contained: isContained(incident) && !isDoubtful(incident, now),
    provenDead: isProvenDead(incident, now),
    ...(since === undefined ? {} : { lastSeen: since }),
    waitsFor: waitsFor(incident, policy),
    ...(lastEvidence(incident) ? { evidence: lastEvidence(incident) } : {}),
  };
}

/** "3 min", "2 h", "5 d": as long as people say it. */
export function age(from: string, now: number): string {
  const minutes = Math.max(0, Math.floor((now - Date.parse(from)) / 60_000));
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}
