// What is heard again: whether a repeat of a known finding is written down, or only counted until it could matter. Pure.
import { createHash } from 'node:crypto';
import type { LeakAlert } from '../incident/alert.ts';
import type { Incident } from '../incident/incident.ts';
import { isContained } from '../incident/runs.ts';

const MINUTE = 60_000;
const LEAST_QUIET = 5 * MINUTE;
const MOST_QUIET = 60 * MINUTE;

/** So many repeats are written down at once where something has happened since the one before. */
const AT_ONCE = 5;

/** So many different things are listed; a scanner that finds a token in a thousand places says nothing new with the next. */
const LISTED = 50;

/** What an alert says, apart from its wording. */
const said = ({ source, externalId, subject, where, goal }: LeakAlert): string =>
  JSON.stringify([source, externalId, subject, where?.text, where?.url, goal]);

/** Short, and equal for two alerts that say the same. */
export const gist = (alert: LeakAlert): string =>
  createHash('sha256').update(said(alert)).digest('base64url').slice(0, 22);

/**
 * For how long this alert, and whatever says the same, is only counted; 0: it is written down now. While a leak is known and
 * open, a scanner that says so again changes nothing. Where the token is believed dead or contained, a repeat may be the
 * first to know better: it is written down at once, and from the sixth on at intervals that grow with the incident's age.
 */
export function quietFor(
  incident: Incident,
  alert: LeakAlert,
  fingerprint: string | undefined,
  now: number,
): number {
  if (alert.reporter !== undefined) return 0;
  const words = said(alert);
  const same = incident.alerts.filter((one) => said(one.alert) === words);
  const last = same.at(-1) ?? incident.alerts.at(-1);
  if (last === undefined || (same.length === 0 && incident.alerts.length < LISTED)) return 0;
  if (same.length <= AT_ONCE && couldMatter(incident, alert, fingerprint) && incident.version > last.v)
    return 0;
  const age = now - Date.parse(incident.openedAt);
  const quiet = Math.min(MOST_QUIET, Math.max(LEAST_QUIET, age / 10));
  return Math.max(0, Math.ceil(Date.parse(last.at) + quiet - now));
}

function couldMatter(incident: Incident, { goal }: LeakAlert, fingerprint: string | undefined): boolean {
  const { closed, proof, tokenHeld } = incident;
  // Somebody looked, and said that it is none: only a person says otherwise.
  if (closed?.as === 'false-alarm') return false;
  const over = closed !== undefined || proof !== undefined || isContained(incident);
  const other = goal !== undefined && JSON.stringify(goal) !== JSON.stringify(incident.goal);
  return over || other || (fingerprint !== undefined && !tokenHeld);
}
