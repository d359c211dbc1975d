// The one message that shows an incident: everything a person needs to decide, and the buttons to do it.
import type { KnownBlock } from '@slack/types';
import type { ProofRound } from '../../domain/evidence.ts';
import type { Incident, Pause } from '../../domain/incident.ts';
import { hasQuarantine, stepsInEffect } from '../../domain/runs.ts';
import { isLive } from '../../domain/sightings.ts';
import { requesters } from '../../domain/votes.ts';
import { actionsBlock } from './buttons.ts';
import { copyLines, outsideLines } from './copy-lines.ts';
import { aliveLines, consumerLines, leakLines, radiusLines, tokenLines, warningLines } from './facts.ts';
import { headline } from './headline.ts';
import { clean, code, context, counted, moment, people, section, some, within } from './mrkdwn.ts';
import { newTokenLines } from './outside-text.ts';
import { type Approving, planGroups } from './plan-text.ts';
import { lastRounds, proofDoubts, proofTimes } from './proof-text.ts';

export interface CardContext extends Approving {
  now: number;
  /** Keyed hash that ends the incident's log. */
  head: string;
}

export interface Card {
  text: string;
  blocks: KnownBlock[];
}

const PLAN_SECTIONS = 14;

export function renderCard(incident: Incident, given: CardContext): Card {
  const title = headline(incident, given.now);
  const id = (name: string): string => `${name}-${incident.version}`;
  const groups: [string, string[]][] = [
    ['now', nowLines(incident)],
    ['proof', proofGroup(incident)],
    ['leak', [...leakLines(incident), ...tokenLines(incident, given.now), ...aliveLines(incident)]],
    ['reach', [...consumerLines(incident), ...copyLines(incident), ...radiusLines(incident)]],
    ['warnings', warningLines(incident)],
    ...planGroups(incident, given)
      .slice(0, PLAN_SECTIONS)
      .map((lines, index): [string, string[]] => [`plan${index}`, lines]),
    ['history', historyLines(incident)],
  ];
  const sections = groups
    .filter(([, lines]) => lines.length > 0)
    .map(([name, lines]) => section(id(name), lines));
  return {
    text: clean(title),
    blocks: [
      { type: 'header', block_id: id('title'), text: { type: 'plain_text', text: title } },
      ...sections,
      actionsBlock(incident, given.policy),
      context(id('footer'), [footer(incident, given.head)]),
    ],
  };
}

/** A false alarm gives nothing back by itself. */
export const stillQuarantined = (incident: Incident): string => {
  const steps = stepsInEffect(incident).filter(({ phase }) => phase === 'contain');
  const titles = some(
    steps.map(({ title }) => clean(title, 200)),
    3,
  ).join('; ');
  return `This was done and not undone: ${titles}. “Undo quarantine” on the card takes it back.`;
};

/** When the blocks are refused, the words alone. */
export function plainCard(incident: Incident, now: number): string {
  const lines = [`*${clean(headline(incident, now))}*`, ...nowLines(incident), ...tokenLines(incident, now)];
  return within(
    [...lines, `This card could not be drawn in full: use \`/tourniquet ${clean(incident.id, 60)}\`.`],
    3000,
  );
}

/** What is the same is not sent again; the footer alone, and ids that change by themselves, are no reason. */
export const likeness = ({ text, blocks }: Card): string =>
  JSON.stringify([
    text,
    blocks
      .filter((block) => !block.block_id?.startsWith('footer'))
      .map((block) => ({ ...block, block_id: undefined })),
  ]);

function nowLines(incident: Incident): string[] {
  const { troubles, runs, reopened, closed, liveAgain, autoContainSkipped, proof } = incident;
  const lines = Object.entries(troubles)
    .filter(([work]) => work !== 'report')
    .map(
      ([, { message, count }]) =>
        `*Trouble:* ${clean(message, 900)} Trying again (${counted(count, 'attempt')} so far).`,
    );
  if (liveAgain && reopened && !closed)
    lines.push(`*Live again* (${moment(Date.parse(reopened.at))}): ${clean(reopened.reason, 400)}`);
  const stopped = runs.at(-1)?.stopped;
  if (stopped) lines.push(`*Stopped:* ${clean(stopped, 900)} A person is needed.`);
  // Where the proof closed it, the proof says the rest.
  const why = closed && closed.reason !== proof?.outcome?.detail ? `: ${clean(closed.reason, 400)}` : '.';
  if (closed) lines.push(`*Closed* ${moment(Date.parse(closed.at))}${why}`);
  if (closed?.as === 'false-alarm' && hasQuarantine(incident)) lines.push(stillQuarantined(incident));
  if (incident.paused) lines.unshift(pausedLine(incident.paused));
  lines.push(...reviewLines(incident));
  lines.push(...outsideLines(incident));
  if (!closed && !incident.outside) lines.push(...newTokenLines(incident));
  const first = runs[0];
  if (first?.kind === 'contain' && first.by === 'policy')
    lines.push(`*Contained by policy* ${moment(Date.parse(first.at))}, without waiting for a person.`);
  else if (autoContainSkipped && runs.length === 0)
    lines.push(`*Not contained automatically:* ${clean(autoContainSkipped, 400)}`);
  return lines;
}

function pausedLine({ by, reason, at }: Pause): string {
  const who = by === '' ? '' : ` by ${people([by])} ${moment(Date.parse(at))}`;
  return `*PAUSED*${who}: ${clean(reason, 400)}. No step is started until an approver types \`/tourniquet resume\`.`;
}

function reviewLines({ reviews }: Incident): string[] {
  return reviews.map(({ by, reason, at, closed }) => {
    const broke = `*Break-glass* by ${people([by])} ${moment(Date.parse(at))}: ${clean(reason, 400)}`;
    return closed
      ? `${broke} Reviewed by ${people([closed.by])}: ${clean(closed.note, 400)}`
      : `${broke} *A review is open:* an approver other than ${people([by])} must close it.`;
  });
}

function proofGroup(incident: Incident): string[] {
  const { proof, rechecks, closed } = incident;
  // Nobody asks any more about a token that was no leak.
  if (!proof || (closed?.as === 'false-alarm' && !proof.outcome)) return [];
  const outcome = proof.outcome;
  const words = clean(outcome?.detail ?? underWay(proof.rounds), 400);
  const times = outcome && proofTimes(incident);
  const last = rechecks.at(-1);
  return [
    `${proofTitle(incident)} ${words}`,
    ...(times ? [times] : []),
    ...(outcome ? proofDoubts(proof.rounds, 4) : []),
    ...(last ? [`*Looked again* ${moment(Date.parse(last.at))}: ${clean(last.outcome.detail)}`] : []),
  ];
}

/** A proof is of its moment; what was seen since is said elsewhere, and may be the contrary. */
function proofTitle(incident: Incident): string {
  const { proof } = incident;
  if (proof?.provedAt === undefined) return '*Proof:*';
  const at = moment(Date.parse(proof.provedAt));
  return isLive(incident) ? `*Was proven dead ${at}, and is not so any more:*` : `*Proof* (${at}):`;
}

/** While it lasts, people must see what it waits for: a server that says nothing, or one that still accepts the token. */
function underWay(rounds: readonly ProofRound[]): string {
  const doubts = lastRounds(rounds).flatMap(({ cluster, outcome: { verdict, detail } }) =>
    verdict === 'done' ? [] : [`${cluster}: ${detail}.`],
  );
  return ['under way.', ...doubts].join(' ');
}

function historyLines(incident: Incident): string[] {
  const asked = requesters(incident);
  const decided = incident.decisions.slice(-3).map(({ decision, at }) => {
    const why = decision.reason ? `: ${clean(decision.reason)}` : '';
    return `${people([decision.by])} ${VERBS[decision.verb]} ${moment(Date.parse(at))}${why}`;
  });
  const news = incident.updates.slice(-2).map(({ update }) => `*News:* ${clean(update.note)}`);
  return [...(asked.length > 0 ? [`*Asked for by:* ${people(asked.slice(0, 5))}`] : []), ...decided, ...news];
}

export const VERBS = {
  contain: 'quarantined it',
  approve: 'approved the plan',
  withdraw: 'took back the approval',
  'break-glass': 'BROKE THE GLASS and runs the plan alone',
  review: 'closed the review',
  decline: 'declined the plan',
  'not-a-leak': 'called it a false alarm',
  undo: 'undid what was done',
  identify: 'said which token it is',
  retry: 'tried the run again',
  skip: 'let the run go on without what holds it up',
  'roll-back': 'rolled the run back',
  'cancel-soak': 'kept the old Secret',
  choose: 'chose another way',
  outside: 'answered for the users outside the cluster',
  'leave-out': 'left out a cluster that could not be asked',
} as const;

const footer = ({ id, version, openedAt }: Incident, head: string): string =>
  `Incident ${code(id.slice(0, 12))}, opened ${moment(Date.parse(openedAt))}. Log entry ${version}${head ? `, ${code(head.slice(0, 16))}` : ''}. Help: \`/tourniquet help\``;
