// Which workloads use the token, or only its ServiceAccount.

import type { Incident } from '../../domain/incident/incident.ts';
import { isQuiet } from '../../domain/plan/copy-text.ts';
import type { Situation } from '../../domain/situation/situation.ts';
import { joined, strong, type Text, text } from '../../domain/text/pieces.ts';
import { counted, some } from '../pieces/counted.ts';
import { labelled, shown } from '../pieces/place.ts';
import { code, plain } from '../pieces/plain.ts';

/** Who holds the leaked token itself feels a kill of it; who only shares the ServiceAccount has tokens of its own. */
export function consumerLines(incident: Incident): Text[] {
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
      text`${strong`Used by:`} ${where}${using.length > 0 ? workloadsOf(using) : 'no Pod that was found'}${noCopy(situation)}`,
      ...(sharing.length > 0
        ? [text`${strong`Same ServiceAccount, tokens of their own:`} ${where}${workloadsOf(sharing)}`]
        : []),
    ];
  });
}

/** One line less to read where there is nothing to move; what was found, or not looked at, has lines of its own. */
function noCopy({ copies }: Situation): string {
  return copies && isQuiet(copies)
    ? `; copies looked for in ${plain(copies.searched.join(', '), 200)} alone: none`
    : '';
}

function workloadsOf(pods: Situation['pods']): Text {
  const owners = [...new Set(pods.map(({ owner }) => owner))];
  const names = owners.map((owner) => code(owner, 120));
  return text`${joined(some(names, 6), ', ')} (${counted(pods.length, 'Pod')})`;
}
