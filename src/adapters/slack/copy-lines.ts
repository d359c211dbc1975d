// Copies of a token in other Secrets, and what else uses it where Tourniquet does not act, as lines of mrkdwn.
import { copyLine, copyTodo, isQuiet, reachOf } from '../../domain/copy-text.ts';
import type { Incident } from '../../domain/incident.ts';
import { copiesToMove, OUTSIDE, owesOutside } from '../../domain/outside.ts';
import { clean, some } from './mrkdwn.ts';

const MAX_SHOWN = 5;

/** Named only where there are several. */
const on = ({ situations }: Incident, cluster: string): string =>
  situations.length > 1 ? `${clean(cluster, 60)}: ` : '';

/** What was found, and always what was not looked at. */
export function copyLines(incident: Incident): string[] {
  return incident.situations.flatMap(({ copies, cluster }) => {
    if (copies === undefined || isQuiet(copies)) return [];
    const where = on(incident, cluster);
    const found = some(
      copies.found.map((copy) => `• ${clean(copyLine(copy), 400)}`),
      MAX_SHOWN,
    );
    return [
      `*Copies in other Secrets:* ${where}${clean(reachOf(copies), 400)}`,
      ...found,
      ...some(copies.gaps, 3).map((gap) => `*Not looked at:* ${where}${clean(gap, 400)}`),
    ];
  });
}

/** What a person must still do once the token is dead. */
export function outsideLines(incident: Incident): string[] {
  if (!owesOutside(incident)) return [];
  const todo = some(
    copiesToMove(incident).map((copy) => `• ${on(incident, copy.cluster)}${clean(copyTodo(copy), 500)}`),
    MAX_SHOWN,
  );
  const opening =
    incident.goal.do === 'rotate'
      ? `*Still to be found by a person:* ${OUTSIDE} that use the old token. Then press “Users outside…”: who was moved, or why there is nobody.`
      : '*Still to be moved by a person:* whatever uses these copies of the dead token. Then press “Users outside…”: what was done.';
  return [opening, ...todo];
}
