// Under which names an incident is found by others about the same ServiceAccount. Pure.
import { askedHere } from '../incident/asked.ts';
import type { EventBody } from '../incident/events.ts';
import type { Incident } from '../incident/incident.ts';
import type { TokenIdentity } from '../token/identity.ts';

export const accountsOf = ({ clusters, namespace, serviceAccount }: TokenIdentity): string[] =>
  clusters.map((cluster) => `${cluster}/${namespace}/${serviceAccount.name}`);

/** Where nobody asked there is nothing to find, so a feed of alerts makes no list long. */
export function namesOf(incident: Incident, events: readonly EventBody[]): string[] {
  const identity = events.findLast((event) => event.type === 'identified')?.identity;
  const asksNow = events.some((event) => event.type === 'alert-received' && event.alert.reporter);
  if (identity === undefined && !asksNow) return [];
  const known = identity ?? incident.identity;
  return known && (asksNow || askedHere(incident).length > 0) ? accountsOf(known) : [];
}
