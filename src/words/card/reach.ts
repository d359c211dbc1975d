// What a thief can do with the token, and what to watch out for.
import type { Incident } from '../../domain/incident/incident.ts';
import { strong, type Text, text } from '../../domain/text/pieces.ts';
import { some } from '../pieces/counted.ts';
import { labelled, shown } from '../pieces/place.ts';
import { plain } from '../pieces/plain.ts';
export function radiusLines(incident: Incident): Text[] {
  return shown(incident).flatMap((situation) => {
    const { tier, lines } = situation.radius;
    return [
      text`${strong`What a thief can do:`} ${labelled(incident, situation)}${tier}`,
      ...some(
        lines.map((line) => text`• ${plain(line)}`),
        3,
      ),
    ];
  });
}

export function warningLines(incident: Incident): Text[] {
  const warnings = incident.situations.flatMap((situation) => [
    ...situation.warnings.map(
      (warning) => text`${strong`Watch out:`} ${labelled(incident, situation)}${plain(warning, 400)}`,
    ),
    ...situation.unread.map(
      (item) => text`${strong`Could not be read:`} ${labelled(incident, situation)}${plain(item)}`,
    ),
  ]);
  return some(warnings, 8);
}
