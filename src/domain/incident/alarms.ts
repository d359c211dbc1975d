// When people must be called outside the chat: what happened, since when, and whether they were called already. Pure.
import type { Alarm, Incident } from './incident.ts';
import { isBleeding } from './runs.ts';
import { isStopped } from './sightings.ts';

export interface Call extends Omit<Alarm, 'v'> {
  /** Of this very reason: a receiver that got it before has got the same. */
  id: string;
  /** Unix milliseconds. */
  at: number;
}

export interface EscalationTiming {
  /** How long a review may stay open. */
  reviewAfter: number;
}

/** Calls that are owed, now or later, earliest first; what has been settled since needs none. */
export function openCalls(incident: Incident, { reviewAfter }: EscalationTiming): Call[] {
  const { alarms, reviews, escalated } = incident;
  const alarmed = alarms
    .filter((alarm) => stillTrue(incident, alarm))
    .map(({ v, ...alarm }): Call => ({ ...alarm, id: `${alarm.why}-${v}`, at: Date.parse(alarm.since) }));
  const unreviewed = reviews
    .filter((review) => review.closed === undefined)
    .map(({ at: since }): Call => {
      const at = Date.parse(since);
      return { why: 'review-open', since, words: UNREVIEWED, id: `review-open-${at}`, at: at + reviewAfter };
    });
  return [...alarmed, ...unreviewed]
    .filter(({ id }) => !escalated.some(({ call }) => call === id))
    .toSorted((a, b) => a.at - b.at);
}

export const UNAPPROVED = 'Nobody approved the plan in time, and the leaked token still works.';
const UNREVIEWED = 'One person ran the plan alone (break-glass), and nobody else has reviewed that since.';

function stillTrue(incident: Incident, { why, since }: Alarm): boolean {
  if (incident.closed) return false;
  if (why === 'approval-expired') return isBleeding(incident);
  if (why === 'nobody-can-approve') return incident.planAt === since;
  return !isStopped(incident);
}
