// What leaked and what hangs on it, as lines of mrkdwn for the card.
import type { LeakAlert } from '../../domain/alert.ts';
import { isQuiet } from '../../domain/copy-text.ts';
import type { Incident } from '../../domain/incident.ts';
import { offlineAudiences, offlineUntil } from '../../domain/offline.ts';
import { isLive, type Sighting, unasked } from '../../domain/sightings.ts';
import type { Situation } from '../../domain/situation.ts';
import { KIND_WORDS, type TokenIdentity, TRUST_WORDS } from '../../domain/token-identity.ts';
import { clean, code, counted, link, moment, people, some } from './mrkdwn.ts';

const MAX_CLUSTERS = 4;

export function leakLines({ alerts }: Incident): string[] {
  const lines = alerts.slice(0, 3).map(({ alert }) => leakLine(alert));
  const more = alerts.length - lines.length;
  return more > 0 ? [...lines, `Reported ${counted(more, 'more time')}.`] : lines;
}

function leakLine({ source, where, severity, reason, reporter }: LeakAlert): string {
  const by = reporter ? `reported by ${people([reporter])}` : `alert from ${code(source, 60)}`;
  const place = where ? link(where.url, where.text) : 'where is not known';
  const level = severity && severity !== 'unknown' ? `, severity ${severity}` : '';
  return `*Leaked:* ${place}, ${by}${level}${reason ? `: ${clean(reason, 400)}` : ''}`;
}

export function tokenLines(incident: Incident, now: number): string[] {
  const { identity, unidentified } = incident;
  if (unidentified) {
    const near = some(
      unidentified.near.map((name) => code(name, 120)),
      5,
    ).join(', ');
    return [`*Token:* not identified. ${clean(unidentified.reason, 600)}${near ? ` Near: ${near}` : ''}`];
  }
  if (!identity) return ['*Token:* being identified.'];
  const { namespace, serviceAccount, clusters, boundTo, kind } = identity;
  const name = code(`${namespace}/${serviceAccount.name}`);
  const bound = boundTo
    ? `, ${kind === 'legacy' ? 'in' : 'bound to'} ${boundTo.kind} ${code(boundTo.name)}`
    : '';
  const on = some(
    clusters.map((cluster) => clean(cluster, 60)),
    MAX_CLUSTERS,
  ).join(', ');
  return [
    `*Token:* ${KIND_WORDS[identity.kind]} of ServiceAccount ${name} on ${on}${bound} (${TRUST_WORDS[identity.authenticity]})`,
    ...(identity.unchecked?.length
      ? [
          `*Not checked:* ${some(
            identity.unchecked.map((cluster) => clean(cluster, 60)),
            MAX_CLUSTERS,
          ).join(', ')} may accept it too.`,
        ]
      : []),
    ageLine(identity, now),
    ...offlineLine(incident, now),
  ];
}

function ageLine({ kind, issuedAt, expiresAt }: TokenIdentity, now: number): string {
  const parts: string[] = [];
  if (issuedAt !== undefined) parts.push(`*Issued:* ${moment(issuedAt * 1000)}`);
  if (expiresAt !== undefined)
    parts.push(`*${expiresAt * 1000 < now ? 'Expired' : 'Expires'}:* ${moment(expiresAt * 1000)}`);
  else if (kind === 'legacy') parts.push('*Expires:* never');
  else parts.push('*Expires:* not known');
  return parts.join('   ');
}

function offlineLine(incident: Incident, now: number): string[] {
  const until = offlineUntil(incident);
  if (!incident.identity || until === undefined || until * 1000 < now) return [];
  const audiences = some(
    offlineAudiences(incident.identity).map((audience) => code(audience, 120)),
    4,
  );
  const end =
    until === Number.POSITIVE_INFINITY ? 'for as long as they trust it' : `until ${moment(until * 1000)}`;
  return [
    `*Accepted offline:* ${audiences.join(', ')} may accept it ${end}, whatever the API server says. Remove the trust there.`,
  ];
}

/** Names the cluster only where there are several, or where one was not asked. */
const labelled = (incident: Incident, situation: Situation): string =>
  (incident.identity?.clusters.length ?? 0) > 1 ||
  incident.situations.length > 1 ||
  unasked(incident).length > 0
    ? `${clean(situation.cluster, 60)}: `
    : '';

const shown = (incident: Incident): Situation[] => incident.situations.slice(0, MAX_CLUSTERS);

const SAW: Record<Sighting['saw'], string> = {
  accepted: '*yes*',
  refused: 'no, refused',
  labelled: 'no, its Secret is quarantined, which can be undone',
  gone: 'no, dead',
  unknown: '*not known*',
};

/** Where nobody asked a server, that is said. */
const BY: Record<Sighting['by'], string> = {
  'each-server': '',
  'load-balancer': ' (asked through the load balancer)',
  'object-state': ' (as the objects show, not probed)',
  write: ' (as our own write left it)',
};

export function aliveLines(incident: Incident): string[] {
  // A person has still to say which token it is, or has just said it: what was seen may be of another.
  if (incident.unidentified || incident.renamed) return [];
  // Where a proof says that it is stopped, it says so better.
  const told = incident.proof !== undefined && !isLive(incident);
  return shown(incident).flatMap((situation) => [
    ...(told ? [] : [worksLine(incident, situation)]),
    ...missedLine(incident, situation),
    ...lastUsed(incident, situation),
  ]);
}

function worksLine(incident: Incident, situation: Situation): string {
  const seen = incident.beliefs[situation.cluster]?.seen;
  const where = labelled(incident, situation);
  if (seen === undefined)
    return `*Still works:* ${where}*not known*: ${clean(situation.liveness.reason, 400)}`;
  return `*Still works:* ${where}${SAW[seen.saw]}${BY[seen.by]}: ${clean(seen.detail, 400)}. Seen ${moment(Date.parse(seen.at))}.`;
}

function missedLine(incident: Incident, situation: Situation): string[] {
  const missed = incident.beliefs[situation.cluster]?.missed;
  if (missed === undefined) return [];
  return [
    `*Asked again without an answer:* ${labelled(incident, situation)}${moment(Date.parse(missed.at))}, ${clean(missed.detail, 400)}.`,
  ];
}

function lastUsed(incident: Incident, { tokenSecrets, cluster }: Situation): string[] {
  const { identity } = incident;
  const concerned = tokenSecrets.filter(
    ({ name }) =>
      identity?.kind === 'every-token' || (identity?.kind === 'legacy' && name === identity.boundTo?.name),
  );
  const lines = concerned.map(({ name, lastUsed: day }) => {
    const before = usedBeforeKill(incident, cluster, name) ?? (day ? `on ${day}` : undefined);
    const which = concerned.length > 1 ? ` (Secret ${code(name)})` : '';
    return `*Last used:* ${before ? clean(before, 60) : 'never recorded'}${which}`;
  });
  return some(lines, 3);
}

/** Probes of ours write the label too, so what the first write saw is the truth about the time before. */
function usedBeforeKill({ runs }: Incident, cluster: string, secret: string): string | undefined {
  const steps = runs.flatMap((run) => (run.kind === 'undo' ? [] : run.steps));
  const first = steps.find(
    ({ step, outcome }) =>
      step.cluster === cluster && step.params.secret === secret && outcome?.facts?.lastUsed,
  );
  const seen = first?.outcome?.facts?.lastUsed;
  if (seen === undefined) return undefined;
  return /^\d/.test(String(seen)) ? `on ${seen}, before it was contained` : String(seen);
}

/** Who holds the leaked token itself feels a kill of it; who only shares the ServiceAccount has tokens of its own. */
export function consumerLines(incident: Incident): string[] {
  const { identity } = incident;
  const holds = ({ name, via }: Situation['pods'][number]): boolean => {
    if (identity?.boundTo?.kind === 'Secret') return via === 'secret';
    return identity?.boundTo?.kind === 'Pod' ? name === identity.boundTo.name : true;
  };
  return shown(incident).flatMap((situation) => {
    const { pods } = situation;
    const using = pods.filter(holds);
    const sharing = pods.filter((pod) => !using.includes(pod));
    const where = labelled(incident, situation);
    return [
      `*Used by:* ${where}${using.length > 0 ? workloadsOf(using) : 'no Pod that was found'}${noCopy(situation)}`,
      ...(sharing.length > 0
        ? [`*Same ServiceAccount, tokens of their own:* ${where}${workloadsOf(sharing)}`]
        : []),
    ];
  });
}

/** One line less to read where there is nothing to move; what was found, or not looked at, has lines of its own. */
function noCopy({ copies }: Situation): string {
  return copies && isQuiet(copies)
    ? `; copies looked for in ${clean(copies.searched.join(', '), 200)} alone: none`
    : '';
}

function workloadsOf(pods: Situation['pods']): string {
  const owners = [...new Set(pods.map(({ owner }) => owner))];
  const names = owners.map((owner) => code(owner, 120));
  return `${some(names, 6).join(', ')} (${counted(pods.length, 'Pod')})`;
}

export function radiusLines(incident: Incident): string[] {
  return shown(incident).flatMap((situation) => {
    const { tier, lines } = situation.radius;
    return [
      `*What a thief can do:* ${labelled(incident, situation)}${tier}`,
      ...some(
        lines.map((line) => `• ${clean(line)}`),
        3,
      ),
    ];
  });
}

export function warningLines(incident: Incident): string[] {
  const warnings = incident.situations.flatMap((situation) => [
    ...situation.warnings.map(
      (warning) => `*Watch out:* ${labelled(incident, situation)}${clean(warning, 400)}`,
    ),
    ...situation.unread.map((item) => `*Could not be read:* ${labelled(incident, situation)}${clean(item)}`),
  ]);
  return some(warnings, 8);
}
