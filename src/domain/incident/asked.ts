// Who asked for an incident, what was said about what is on its card now, and what of it waits for somebody else's eyes. Pure.
import type { Vote } from './decision.ts';
import type { Incident } from './incident.ts';

/** Those that count for what is on the card now. */
export const votesFor = ({ votes }: Incident, verb: Vote['verb'], hash: string | undefined): Vote[] =>
  votes.filter((vote) => vote.verb === verb && vote.hash === hash);

/** People who asked for this: whoever reported it, said which token it is, or did so for the same ServiceAccount elsewhere. */
export const requesters = (incident: Incident): string[] => [
  ...new Set([...askedHere(incident), ...incident.alsoAsked.map(({ by }) => by)]),
];

/** Those of this incident alone. */
export function askedHere(incident: Incident): string[] {
  const reporters = incident.alerts.flatMap(({ alert }) => alert.reporter ?? []);
  const identifiers = incident.decisions.filter(({ decision }) => decision.verb === 'identify');
  return [...new Set([...reporters, ...identifiers.map(({ decision }) => decision.by)])];
}

/** Where somebody ran a plan alone and nobody else has said what they think of it. */
export const openReviews = ({ reviews }: Incident) => reviews.filter((review) => review.closed === undefined);
