// What an alert tells that was not known yet.
import type { Goal } from '../plan/goal.ts';
import type { LeakAlert } from './alert.ts';
import type { Incident } from './incident.ts';

/**
 * Whether a repeat changes anything: it brings the token itself, or the incident had ended or was stuck. A scanner that
 * reports a false alarm again does not open it again; a person does.
 */
export function isNews(incident: Incident, alert: LeakAlert, fingerprint: string | undefined): boolean {
  if (incident.closed?.as === 'false-alarm') return alert.reporter !== undefined;
  return (
    incident.closed !== undefined ||
    incident.unidentified !== undefined ||
    (alert.goal !== undefined && !sameGoal(alert.goal, incident.goal)) ||
    (fingerprint !== undefined && !incident.tokenHeld)
  );
}

export const sameGoal = (a: Goal, b: Goal): boolean => JSON.stringify(a) === JSON.stringify(b);
