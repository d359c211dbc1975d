// Which token it is, how old, and who accepts it whatever its cluster says.
import type { Incident } from '../../domain/incident/incident.ts';
import { isEmpty, joined, strong, type Text, text } from '../../domain/text/pieces.ts';
import { KIND_WORDS, type TokenIdentity, TRUST_WORDS } from '../../domain/token/identity.ts';
import { offlineAudiences, offlineUntil } from '../../domain/token/offline.ts';
import { some } from '../pieces/counted.ts';
import { moment } from '../pieces/moments.ts';
import { MAX_CLUSTERS } from '../pieces/place.ts';
import { code, plain } from '../pieces/plain.ts';

export function tokenLines(incident: Incident, now: number): Text[] {
  const { identity, unidentified } = incident;
  if (unidentified) {
    const near = joined(
      some(
        unidentified.near.map((name) => code(name, 120)),
        5,
      ),
      ', ',
    );
    return [
      text`${strong`Token:`} not identified. ${plain(unidentified.reason, 600)}${isEmpty(near) ? '' : text` Near: ${near}`}`,
    ];
  }
  if (!identity) return [text`${strong`Token:`} being identified.`];
  const { namespace, serviceAccount, clusters, boundTo, kind } = identity;
  const name = code(`${namespace}/${serviceAccount.name}`);
  const bound = boundTo
    ? text`, ${kind === 'legacy' ? 'in' : 'bound to'} ${boundTo.kind} ${code(boundTo.name)}`
    : '';
  const on = some(
    clusters.map((cluster) => plain(cluster, 60)),
    MAX_CLUSTERS,
  ).join(', ');
  return [
    text`${strong`Token:`} ${KIND_WORDS[identity.kind]} of ServiceAccount ${name} on ${on}${bound} (${TRUST_WORDS[identity.authenticity]})`,
    ...(identity.unchecked?.length
      ? [
          text`${strong`Not checked:`} ${some(
            identity.unchecked.map((cluster) => plain(cluster, 60)),
            MAX_CLUSTERS,
          ).join(', ')} may accept it too.`,
        ]
      : []),
    ageLine(identity, now),
    ...offlineLine(incident, now),
  ];
}

function ageLine({ kind, issuedAt, expiresAt }: TokenIdentity, now: number): Text {
  const parts: Text[] = [];
  if (issuedAt !== undefined) parts.push(text`${strong`Issued:`} ${moment(issuedAt * 1000)}`);
  if (expiresAt !== undefined)
    parts.push(
      text`${strong`${expiresAt * 1000 < now ? 'Expired' : 'Expires'}:`} ${moment(expiresAt * 1000)}`,
    );
  else if (kind === 'legacy') parts.push(text`${strong`Expires:`} never`);
  else parts.push(text`${strong`Expires:`} not known`);
  return joined(parts, '   ');
}

function offlineLine(incident: Incident, now: number): Text[] {
  const until = offlineUntil(incident);
  if (!incident.identity || until === undefined || until * 1000 < now) return [];
  const audiences = some(
    offlineAudiences(incident.identity).map((audience) => code(audience, 120)),
    4,
  );
  const end =
    until === Number.POSITIVE_INFINITY ? 'for as long as they trust it' : text`until ${moment(until * 1000)}`;
  return [
    text`${strong`Accepted offline:`} ${joined(audiences, ', ')} may accept it ${end}, whatever the API server says. Remove the trust there.`,
  ];
}
