// How an incident stands, with the only status mark of a card.
import type { Incident } from '../../../domain/incident/incident.ts';
import { plain } from '../../../words/pieces/plain.ts';
import { type Level, headline as words } from '../../../words/standing/standing.ts';

export const MARKS: Record<Level, string> = { live: '🔴', open: '🟠', good: '🟢', over: '⚪' };

/** At most 150 characters of plain text. */
export function headline(incident: Incident, now: number): string {
  const { level, title } = words(incident, now);
  return plain(`${MARKS[level]} ${title}`, 150);
}
