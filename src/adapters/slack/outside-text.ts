// How users of a leaked token outside the cluster get a new one, for the card and for the form about them.
import { collectCommand, type HandOver, handOvers, readCommand } from '../../domain/hand-over.ts';
import type { Incident } from '../../domain/incident.ts';
import { clean, code, some } from './mrkdwn.ts';

/** Also while the old token still works, since that is the time to move; empty until something has taken its place. */
export function newTokenLines(incident: Incident): string[] {
  const found = handOvers(incident);
  if (found.length === 0) return [];
  const taken = incident.collected.map(({ anchor, by }) => `${code(anchor, 80)} by ${clean(by, 80)}`);
  return [
    `*New tokens for users outside* never go through Slack. With your own kubeconfig, where the log can be reached: ${code(collectCommand(incident))}`,
    ...some(found.flatMap(ways), 5),
    ...(taken.length > 0 ? [`Collected so far: ${some(taken, 5).join(', ')}`] : []),
  ];
}

const ways = (of: HandOver): string[] => [
  `Elsewhere: ${code(collectCommand(of), 700)}`,
  ...of.secrets.map(
    (secret) => `Or the long-lived one of Secret ${code(secret, 260)}: ${code(readCommand(of, secret), 900)}`,
  ),
];
