// Whether the token still works, as far as anybody has seen, and when it was last used.
import type { Incident } from '../../domain/incident/incident.ts';
import { isLive } from '../../domain/incident/sightings.ts';
import type { Sighting } from '../../domain/proof/belief.ts';
import type { Situation } from '../../domain/situation/situation.ts';
import { type Piece, strong, type Text, text } from '../../domain/text/pieces.ts';
import { some } from '../pieces/counted.ts';
import { moment } from '../pieces/moments.ts';
import { labelled, shown } from '../pieces/place.ts';
import { code, plain } from '../pieces/plain.ts';

const SAW: Record<Sighting['saw'], Piece> = {
  accepted: { strong: 'yes' },
  refused: 'no, refused',
  labelled: 'no, its Secret is quarantined, which can be undone',
  gone: 'no, dead',
  unknown: { strong: 'not known' },
};

/** Where nobody asked a server, that is said. */
const BY: Record<Sighting['by'], string> = {
  'each-server': '',
  'load-balancer': ' (asked through the load balancer)',
  'object-state': ' (as the objects show, not probed)',
  write: ' (as our own write left it)',
};

export function aliveLines(incident: Incident): Text[] {
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

function worksLine(incident: Incident, situation: Situation): Text {
  const seen = incident.beliefs[situation.cluster]?.seen;
  const where = labelled(incident, situation);
  if (seen === undefined)
    return text`${strong`Still works:`} ${where}${strong`not known`}: ${plain(situation.liveness.reason, 400)}`;
  return text`${strong`Still works:`} ${where}${SAW[seen.saw]}${BY[seen.by]}: ${plain(seen.detail, 400)}. Seen ${moment(seen.at)}.`;
}

function missedLine(incident: Incident, situation: Situation): Text[] {
  const missed = incident.beliefs[situation.cluster]?.missed;
  if (missed === undefined) return [];
  return [
    text`${strong`Asked again without an answer:`} ${labelled(incident, situation)}${moment(missed.at)}, ${plain(missed.detail, 400)}.`,
  ];
}

function lastUsed(incident: Incident, { tokenSecrets, cluster }: Situation): Text[] {
  const { identity } = incident;
  const concerned = tokenSecrets.filter(
    ({ name }) =>
      identity?.kind === 'every-token' || (identity?.kind === 'legacy' && name === identity.boundTo?.name),
  );
  const lines = concerned.map(({ name, lastUsed: day }) => {
    const before = usedBeforeKill(incident, cluster, name) ?? (day ? `on ${day}` : undefined);
    const which = concerned.length > 1 ? text` (Secret ${code(name)})` : '';
    return text`${strong`Last used:`} ${before ? plain(before, 60) : 'never recorded'}${which}`;
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
