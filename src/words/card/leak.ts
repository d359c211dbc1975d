// Where a token leaked, and who says so.
import type { LeakAlert } from '../../domain/incident/alert.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { people, strong, type Text, text } from '../../domain/text/pieces.ts';
import { counted } from '../pieces/counted.ts';
import { code, plain } from '../pieces/plain.ts';
export function leakLines({ alerts }: Incident): Text[] {
  const lines = alerts.slice(0, 3).map(({ alert }) => leakLine(alert));
  const more = alerts.length - lines.length;
  return more > 0 ? [...lines, `Reported ${counted(more, 'more time')}.`] : lines;
}

function leakLine({ source, where, severity, reason, reporter }: LeakAlert): Text {
  const by = reporter ? text`reported by ${people([reporter])}` : text`alert from ${code(source, 60)}`;
  const place = where ? { link: where.url, words: plain(where.text) } : 'where is not known';
  const level = severity && severity !== 'unknown' ? `, severity ${severity}` : '';
  return text`${strong`Leaked:`} ${place}, ${by}${level}${reason ? `: ${plain(reason, 400)}` : ''}`;
}
