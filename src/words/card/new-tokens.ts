// How users of a leaked token outside the cluster get a new one, for the card and for the form about them.
import { collectCommand, type HandOver, handOvers, readCommand } from '../../domain/afterwards/hand-over.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { CHAT, joined, strong, type Text, text } from '../../domain/text/pieces.ts';
import { some } from '../pieces/counted.ts';
import { code, plain } from '../pieces/plain.ts';

/** Also while the old token still works, since that is the time to move; empty until something has taken its place. */
export function newTokenLines(incident: Incident): Text[] {
  const found = handOvers(incident);
  if (found.length === 0) return [];
  const taken = incident.collected.map(({ anchor, by }) => text`${code(anchor, 80)} by ${plain(by, 80)}`);
  return [
    text`${strong`New tokens for users outside`} never go through ${CHAT}. With your own kubeconfig, where the log can be reached: ${code(collectCommand(incident))}`,
    ...some(found.flatMap(ways), 5),
    ...(taken.length > 0 ? [text`Collected so far: ${joined(some(taken, 5), ', ')}`] : []),
  ];
}

const ways = (of: HandOver): Text[] => [
  text`Elsewhere: ${code(collectCommand(of), 700)}`,
  ...of.secrets.map(
    (secret) =>
      text`Or the long-lived one of Secret ${code(secret, 260)}: ${code(readCommand(of, secret), 900)}`,
  ),
];
