// Decides from rounds of probes whether the token is proven dead; nothing is a proof that an outage could have caused too.
import { done, notDone, type Outcome, unknown } from '../outcome.ts';
import { SUCCESS_CACHE_MS } from '../situation/judge-liveness.ts';
import type { ProbeAnswer, Proof, ProofLevel, ProofRound } from './evidence.ts';

/** How many rounds in a row must be refused, by level. Behind a load balancer one connection meets one server at a time. */
const ROUNDS: Record<ProofLevel, number> = { 'each-server': 2, 'load-balancer': 3, 'object-state': 2 };

/** Judges one round of answers from one cluster. */
export function judgeRound(answers: readonly ProbeAnswer[]): Outcome {
  const accepted = answers.filter(({ answer }) => answer === 'accepted');
  if (accepted.length > 0) return notDone(`still accepted by ${list(accepted)}`);
  const doubtful = answers.filter(({ answer, control }) => answer !== 'refused' || control !== 'accepted');
  if (answers.length === 0) return unknown('no API server could be asked');
  if (doubtful.length > 0) return unknown(doubtful.map(describe).join('; '));
  return done(`refused by ${list(answers)}, which accepted another ServiceAccount's token at the same time`);
}

const list = (answers: readonly ProbeAnswer[]): string =>
  [...new Set(answers.map(({ server }) => server))].join(', ');

function describe({ server, answer, seen, control }: ProbeAnswer): string {
  if (answer !== 'refused') return `${server} gave no clear answer (${seen})`;
  if (control === 'none')
    return `${server} refused it, but there is no other token to show that this is not an outage`;
  return `${server} refused it, but refused another ServiceAccount's token too: this may be an outage or a proxy`;
}

export type Judgement =
  | { kind: 'again' }
  | { kind: 'proved'; outcome: Outcome }
  | { kind: 'alive'; reason: string; clusters: string[] };

/** Looks at all rounds since the kill, of every cluster that could accept the token. */
export function judgeProof(
  proof: Pick<Proof, 'killedAt' | 'rounds'>,
  clusters: readonly string[],
  giveUpAfter: number,
  nowMs: number,
): Judgement {
  const runs = clusters.map((cluster) => lastRun(proof.rounds.filter((round) => round.cluster === cluster)));
  if (runs.every(({ enough }) => enough)) {
    const levels = runs.map(({ rounds }) => summary(rounds));
    return { kind: 'proved', outcome: done(levels.join('; ')) };
  }
  const alive = runs.find(({ last }) => last?.outcome.verdict === 'not-done');
  if (alive?.last && nowMs - Date.parse(proof.killedAt) > giveUpAfter)
    return {
      kind: 'alive',
      reason: `${alive.last.cluster}: ${alive.last.outcome.detail}`,
      clusters: runs.flatMap(({ last }) => (last?.outcome.verdict === 'not-done' ? [last.cluster] : [])),
    };
  return { kind: 'again' };
}

/** The refusals in a row at the end, all of one level. */
function lastRun(rounds: readonly ProofRound[]) {
  const last = rounds.at(-1);
  const from =
    rounds.findLastIndex(({ outcome, level }) => outcome.verdict !== 'done' || level !== last?.level) + 1;
  const tail = rounds.slice(from);
  const enough = last !== undefined && tail.length >= ROUNDS[last.level] && outlasts(tail, last);
  return { last, rounds: tail, enough };
}

/** What only the objects show is dead at an API server too once its memory of an earlier success has lapsed. */
function outlasts([first]: readonly ProofRound[], last: ProofRound): boolean {
  if (last.level !== 'object-state' || first === undefined) return true;
  return Date.parse(last.began ?? last.at) - Date.parse(first.at) >= SUCCESS_CACHE_MS;
}

function summary(rounds: readonly ProofRound[]): string {
  const [first] = rounds;
  const last = rounds.at(-1);
  if (!first || !last) return '';
  const span = Math.round((Date.parse(last.at) - Date.parse(first.at)) / 1000);
  if (last.level === 'object-state')
    return `${last.cluster}: by object state, seen again ${span} s later: ${last.outcome.detail}`;
  const servers = new Set(last.answers.map(({ server }) => server)).size;
  if (last.level === 'each-server')
    return `${last.cluster}: refused by every API server (${servers} of ${servers}), and again ${span} s later`;
  const connections = rounds.reduce((sum, round) => sum + round.answers.length, 0);
  return `${last.cluster}: refused on ${connections} fresh connections through the load balancer over ${span} s`;
}
