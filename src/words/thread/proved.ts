// What the thread says of a proof: what each server answered, at which level, and how long it took.
import type { Incident } from '../../domain/incident/incident.ts';
import { strong, type Text, text } from '../../domain/text/pieces.ts';
import { acceptedOffline } from '../../domain/token/offline.ts';
import { plain } from '../pieces/plain.ts';
import { isFullProof, proofLines, proofTimes, proofWords } from '../standing/proof.ts';

/** Empty before there is an outcome. */
export function proved(incident: Incident): Text[] {
  const { proof } = incident;
  if (!proof?.outcome) return [];
  const words = proofWords(proof.rounds);
  const title = {
    done: isFullProof(proof.rounds) ? [strong`Proof: ${words}.`] : [strong`Evidence: ${plain(words)}.`],
    'not-done': [strong`The token still works.`],
    unknown: [strong`Not proven.`],
  }[proof.outcome.verdict];
  const times = proofTimes(incident);
  return [
    isFullProof(proof.rounds) ? title : text`${title} ${plain(proof.outcome.detail, 600)}`,
    ...proofLines(proof.rounds, 12),
    ...(times ? [times] : []),
    ...(acceptedOffline(incident, Date.parse(incident.updatedAt))
      ? ['It may still be accepted offline, as the card says.']
      : []),
  ];
}
