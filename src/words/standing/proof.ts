// Says what the evidence shows, never more than its level allows.
import type { Incident } from '../../domain/incident/incident.ts';
import { isDone, stepsInEffect } from '../../domain/incident/runs.ts';
import type { ProofRound } from '../../domain/proof/evidence.ts';
import { type Piece, strong, type Text, text } from '../../domain/text/pieces.ts';
import { counted, some } from '../pieces/counted.ts';
import { moment } from '../pieces/moments.ts';
import { code, plain } from '../pieces/plain.ts';
import { span } from '../pieces/span.ts';

/** The last round of each cluster. */
export function lastRounds(rounds: readonly ProofRound[]): ProofRound[] {
  return [...new Map(rounds.map((round) => [round.cluster, round])).values()];
}

/** "refused by 3 of 3 API servers"; only evidence from each server is put that way. */
export function proofWords(rounds: readonly ProofRound[]): string {
  const last = lastRounds(rounds);
  if (last.length === 0) return 'not probed';
  if (last.every(({ level }) => level === 'each-server')) {
    const answers = last.flatMap((round) => round.answers);
    return `refused by ${answers.filter(isRefusal).length} of ${counted(answers.length, 'API server')}`;
  }
  return last
    .map((round) => (last.length > 1 ? `${round.cluster}: ${words(round)}` : words(round)))
    .join('; ');
}

const isRefusal = ({ answer }: ProofAnswer): boolean => answer === 'refused';

function words({ level, answers }: ProofRound): string {
  const refused = answers.filter(isRefusal).length;
  if (level === 'object-state') return 'dead by object state, not probed';
  if (level === 'load-balancer')
    return `refused on ${refused} of ${counted(answers.length, 'fresh connection')} through the load balancer`;
  return `refused by ${refused} of ${counted(answers.length, 'API server')}`;
}

/** Everything was refused, and every API server was asked. */
export const isFullProof = (rounds: readonly ProofRound[]): boolean => {
  const last = lastRounds(rounds);
  return (
    last.length > 0 &&
    last.every(
      ({ level, answers }) => level === 'each-server' && answers.length > 0 && answers.every(isRefusal),
    )
  );
};

const LEVELS: Record<ProofRound['level'], string> = {
  'each-server': 'each API server was asked by its own address',
  'load-balancer': 'only the load balancer could be asked, so a server behind it may have been missed',
  'object-state': 'the token itself could not be sent, so this is what the objects in the cluster say',
};

/** One line for each server address: what was seen, how often, and whether the control request got through. */
export function proofLines(rounds: readonly ProofRound[], maxServers: number): Text[] {
  const last = lastRounds(rounds);
  const lines = last.flatMap((round) => [
    text`${strong`${plain(round.cluster, 80)}`}: ${last.length > 1 ? `${words(round)}; ` : ''}${LEVELS[round.level]}.`,
    ...some(
      round.answers.map((answer) => answerLine(answer, round, rounds)),
      maxServers,
    ),
  ]);
  return last.some(({ answers }) => answers.length > 0) ? [...lines, CONTROL] : lines;
}

type ProofAnswer = ProofRound['answers'][number];

function answerLine(answer: ProofAnswer, round: ProofRound, rounds: readonly ProofRound[]): Text {
  const before = rounds.filter(({ cluster }) => cluster === round.cluster).at(-2);
  const earlier = before?.answers.find(({ server }) => server === answer.server);
  const twice = earlier?.answer === 'refused' && answer.answer === 'refused' && before !== undefined;
  const again = twice ? ` twice, ${span(Date.parse(round.at) - Date.parse(before.at))} apart` : '';
  return text`• ${code(answer.server, 120)}: ${ANSWERS[answer.answer]} (${plain(answer.seen, 80)})${again}; ${CONTROLS[answer.control]}`;
}

/** Only what keeps the evidence from being a proof by every server: a weaker level, or an answer that is no clear refusal. */
export function proofDoubts(rounds: readonly ProofRound[], max: number): Text[] {
  const doubts = lastRounds(rounds).flatMap((round) => [
    ...(round.level === 'each-server'
      ? []
      : [text`${strong`${plain(round.cluster, 80)}`}: ${LEVELS[round.level]}.`]),
    ...round.answers
      .filter(({ answer, control }) => answer !== 'refused' || control !== 'accepted')
      .map((answer) => answerLine(answer, round, rounds)),
  ]);
  return some(doubts, max);
}

const ANSWERS: Record<ProofAnswer['answer'], Piece> = {
  refused: 'refused',
  accepted: { strong: 'accepted' },
  inconclusive: 'no clear answer',
};
const CONTROLS = {
  accepted: 'control accepted',
  failed: 'control refused too, so this proves little',
  none: 'no control to compare with',
} as const;
const CONTROL = "Control: another ServiceAccount's token, sent to the same server.";

/** What the times are counted from. */
export const opening = ({ alerts }: Pick<Incident, 'alerts'>): string =>
  alerts[0]?.alert.reporter ? 'request' : 'alert';

/** Time to kill, and to the first of the last refusals, counted from the alert. */
export function proofTimes(incident: Incident): Text | undefined {
  const { proof, openedAt, runs } = incident;
  if (!proof || runs.length === 0) return undefined;
  const since = (iso: string) => span(Date.parse(iso) - Date.parse(openedAt));
  const killed = firstKill(incident) ?? proof.killedAt;
  const from = firstOfLastRefusals(proof.rounds);
  // The first proof measures the time to proof; a later one only confirms it.
  const seen =
    from === undefined
      ? ''
      : killed === proof.killedAt
        ? text` First seen ${dead(proof.rounds)} ${since(from)} after it.`
        : text` Seen ${dead(proof.rounds)} in this proof since ${moment(from)}.`;
  return text`Killed ${since(killed)} after the ${opening(incident)} (${moment(killed)}).${seen}`;
}

/** No more than the weakest cluster's evidence allows. */
function dead(rounds: readonly ProofRound[]): string {
  const levels = lastRounds(rounds).map(({ level }) => level);
  if (levels.includes('object-state')) return 'dead by object state';
  return levels.includes('load-balancer') ? 'refused' : 'refused everywhere';
}

/** When the first run that is still in effect had ended. */
function firstKill(incident: Incident): string | undefined {
  const effective = stepsInEffect(incident);
  const lasting = incident.runs.filter(
    (run) => run.kind !== 'undo' && isDone(run) && run.steps.every(({ step }) => effective.includes(step)),
  );
  return lasting[0]?.steps.at(-1)?.endedAt;
}

/** The moment since which every round, on every cluster, was refused. */
function firstOfLastRefusals(rounds: readonly ProofRound[]): string | undefined {
  const starts = lastRounds(rounds).map(({ cluster }) => {
    const own = rounds.filter((round) => round.cluster === cluster);
    const lastOther = own.findLastIndex((round) => round.outcome.verdict !== 'done');
    return own[lastOther + 1]?.at;
  });
  return starts.some((at) => at === undefined) ? undefined : (starts as string[]).toSorted().at(-1);
}
