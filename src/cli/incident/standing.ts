// How an incident stands, for a terminal: one line, and whether the token is proven dead.
import type { Incident } from '../../domain/incident/incident.ts';
import { isContained } from '../../domain/incident/runs.ts';
import { isLive, isStopped, oldestSighting, staleSince, unasked } from '../../domain/incident/sightings.ts';
import type { Policy } from '../../domain/rules/policy.ts';
import { plain } from '../../words/pieces/plain.ts';
import { headline } from '../../words/standing/standing.ts';
import { waitsFor } from '../../words/standing/waits-for.ts';
import { printable } from '../input.ts';

/** One line of at most 150 characters. */
export const standing = (incident: Incident, now: number): string =>
  printable(plain(headline(incident, now).title, 150));

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
