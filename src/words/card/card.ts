// Everything that a person needs to decide about one incident, in the order in which it is read.
import type { Incident } from '../../domain/incident/incident.ts';
import type { Text } from '../../domain/text/pieces.ts';
import { type Approving, planGroups } from '../standing/plan.ts';
import { copyLines } from './copies.ts';
import { historyLines } from './history.ts';
import { leakLines } from './leak.ts';
import { nowLines } from './now.ts';
import { proofGroup } from './proof-group.ts';
import { radiusLines, warningLines } from './reach.ts';
import { tokenLines } from './token.ts';
import { consumerLines } from './users.ts';
import { aliveLines } from './works.ts';

/** Lines that belong together, and a name that is the same in every version of the incident. */
export interface Group {
  name: string;
  lines: Text[];
}

const PLAN_GROUPS = 14;

/** Those that have something to say. `now`: Unix milliseconds. */
export function cardGroups(incident: Incident, approving: Approving, now: number): Group[] {
  const plan = planGroups(incident, approving).slice(0, PLAN_GROUPS);
  const groups: Group[] = [
    { name: 'now', lines: nowLines(incident) },
    { name: 'proof', lines: proofGroup(incident) },
    { name: 'leak', lines: [...leakLines(incident), ...tokenLines(incident, now), ...aliveLines(incident)] },
    { name: 'reach', lines: [...consumerLines(incident), ...copyLines(incident), ...radiusLines(incident)] },
    { name: 'warnings', lines: warningLines(incident) },
    ...plan.map((lines, index) => ({ name: `plan${index}`, lines })),
    { name: 'history', lines: historyLines(incident) },
  ];
  return groups.filter(({ lines }) => lines.length > 0);
}
