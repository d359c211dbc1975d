// Copies of a token in other Secrets, and what else uses it where Tourniquet does not act.

import type { Incident } from '../../domain/incident/incident.ts';
import { copiesToMove, OUTSIDE, owesOutside } from '../../domain/incident/outside.ts';
import { copyLine, copyTodo, isQuiet, reachOf } from '../../domain/plan/copy-text.ts';
import { strong, type Text, text } from '../../domain/text/pieces.ts';
import { some } from '../pieces/counted.ts';
import { plain } from '../pieces/plain.ts';

const MAX_SHOWN = 5;

/** Named only where there are several. */
const on = ({ situations }: Incident, cluster: string): string =>
  situations.length > 1 ? `${plain(cluster, 60)}: ` : '';

/** What was found, and always what was not looked at. */
export function copyLines(incident: Incident): Text[] {
  return incident.situations.flatMap(({ copies, cluster }) => {
    if (copies === undefined || isQuiet(copies)) return [];
    const where = on(incident, cluster);
    const found = some(
      copies.found.map((copy) => text`• ${plain(copyLine(copy), 400)}`),
      MAX_SHOWN,
    );
    return [
      text`${strong`Copies in other Secrets:`} ${where}${plain(reachOf(copies), 400)}`,
      ...found,
      ...some(copies.gaps, 3).map((gap) => text`${strong`Not looked at:`} ${where}${plain(gap, 400)}`),
    ];
  });
}

/** What a person must still do once the token is dead. */
export function outsideLines(incident: Incident): Text[] {
  if (!owesOutside(incident)) return [];
  const todo = some(
    copiesToMove(incident).map((copy) => text`• ${on(incident, copy.cluster)}${plain(copyTodo(copy), 500)}`),
    MAX_SHOWN,
  );
  const opening =
    incident.goal.do === 'rotate'
      ? text`${strong`Still to be found by a person:`} ${OUTSIDE} that use the old token. Then press “Users outside…”: who was moved, or why there is nobody.`
      : text`${strong`Still to be moved by a person:`} whatever uses these copies of the dead token. Then press “Users outside…”: what was done.`;
  return [opening, ...todo];
}
