// The proof as it stands, for whoever reads about one incident as a whole.
import type { Incident } from '../../domain/incident/incident.ts';
import { isLive } from '../../domain/incident/sightings.ts';
import type { ProofRound } from '../../domain/proof/evidence.ts';
import { strong, type Text, text } from '../../domain/text/pieces.ts';
import { moment } from '../pieces/moments.ts';
import { plain } from '../pieces/plain.ts';
import { lastRounds, proofDoubts, proofTimes } from '../standing/proof.ts';
export function proofGroup(incident: Incident): Text[] {
  const { proof, rechecks, closed } = incident;
  // Nobody asks any more about a token that was no leak.
  if (!proof || (closed?.as === 'false-alarm' && !proof.outcome)) return [];
  const outcome = proof.outcome;
  const words = plain(outcome?.detail ?? underWay(proof.rounds), 400);
  const times = outcome && proofTimes(incident);
  const last = rechecks.at(-1);
  return [
    text`${proofTitle(incident)} ${words}`,
    ...(times ? [times] : []),
    ...(outcome ? proofDoubts(proof.rounds, 4) : []),
    ...(last ? [text`${strong`Looked again`} ${moment(last.at)}: ${plain(last.outcome.detail)}`] : []),
  ];
}

/** A proof is of its moment; what was seen since is said elsewhere, and may be the contrary. */
function proofTitle(incident: Incident): Text {
  const { proof } = incident;
  if (proof?.provedAt === undefined) return [strong`Proof:`];
  const at = moment(proof.provedAt);
  return isLive(incident)
    ? [strong`Was proven dead ${at}, and is not so any more:`]
    : text`${strong`Proof`} (${at}):`;
}

/** While it lasts, people must see what it waits for: a server that says nothing, or one that still accepts the token. */
function underWay(rounds: readonly ProofRound[]): string {
  const doubts = lastRounds(rounds).flatMap(({ cluster, outcome: { verdict, detail } }) =>
    verdict === 'done' ? [] : [`${cluster}: ${detail}.`],
  );
  return ['under way.', ...doubts].join(' ');
}
