// What leaked and what hangs on it, as lines of mrkdwn for the card.
import type { LeakAlert } from '../../domain/alert.ts';
import { isQuiet } from '../../domain/copy-text.ts';
import type { Incident } from '../../domain/incident.ts';
import { offlineAudiences, offlineUntil } from '../../domain/liveness.ts';
import { stepsInEffect } from '../../domain/runs.ts';
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

/** Names the cluster only where there are several. */
const labelled = (incident: Incident, situation: Situation): string =>
  incident.situations.length > 1 ? `${clean(situation.cluster, 60)}: ` : '';

const shown = (incident: Incident): Situation[] => incident.situations.slice(0, MAX_CLUSTERS);

const ALIVE = {
  alive: '*yes*',
  quarantined: 'no, quarantined, which can be undone',
  dead: 'no, dead',
  unknown: '*not known*',
} as const;

export function aliveLines(incident: Incident): string[] {
  // Once a step was done, the headline and the proof know better than the look before it.
  const acted = stepsInEffect(incident).length > 0;
  return shown(incident).flatMap((situation) => {
    const { alive, reason } = situation.liveness;
    const works = `*Still works:* ${labelled(incident, situation)}${ALIVE[alive]}, by object state: ${clean(reason, 400)}`;
    return [...(acted ? [] : [works]), ...lastUsed(incident, situation)];
  });
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
