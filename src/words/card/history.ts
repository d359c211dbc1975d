// Who asked for an incident, what was decided about it, and what its source said since.
import { requesters } from '../../domain/incident/asked.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { people, strong, type Text, text } from '../../domain/text/pieces.ts';
import { moment } from '../pieces/moments.ts';
import { plain } from '../pieces/plain.ts';
import { VERBS } from '../pieces/verbs.ts';
export function historyLines(incident: Incident): Text[] {
  const asked = requesters(incident);
  const decided = incident.decisions.slice(-3).map(({ decision, at }) => {
    const why = decision.reason ? `: ${plain(decision.reason)}` : '';
    return text`${people([decision.by])} ${VERBS[decision.verb]} ${moment(at)}${why}`;
  });
  const news = incident.updates.slice(-2).map(({ update }) => text`${strong`News:`} ${plain(update.note)}`);
  return [
    ...(asked.length > 0 ? [text`${strong`Asked for by:`} ${people(asked.slice(0, 5))}`] : []),
    ...decided,
    ...news,
  ];
}
