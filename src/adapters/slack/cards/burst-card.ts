// The one message that shows many incidents which opened at once: how they stand, the worst first, and what can be approved together.
import type { KnownBlock } from '@slack/types';
import { type Sameness, sameness } from '../../../domain/decision/together.ts';
import { votesFor } from '../../../domain/incident/asked.ts';
import type { Incident } from '../../../domain/incident/incident.ts';
import { offers } from '../../../domain/incident/offers.ts';
import { counted, some } from '../../../words/pieces/counted.ts';
import { plain } from '../../../words/pieces/plain.ts';
import { span } from '../../../words/pieces/span.ts';
import { asksText } from '../../../words/standing/asks.ts';
import type { Approving } from '../../../words/standing/plan.ts';
import { LEVELS, standing, who } from '../../../words/standing/standing.ts';
import { clean, code, link, moment, mrkdwn, people } from '../mrkdwn/mrkdwn.ts';
import { context, section } from '../mrkdwn/sections.ts';
import { ACTIONS } from './buttons.ts';
import type { Card } from './card.ts';
import { headline, MARKS } from './headline.ts';

export interface Burst extends Approving {
  id: string;
  /** In the order in which they opened. */
  members: readonly Incident[];
  /** Links to the cards of those that have one of their own, by incident. */
  cards: ReadonlyMap<string, string>;
  now: number;
}

/** One block each, of the fifty that Slack allows. */
const LISTED = 25;
const CLASSES = 5;

export function renderBurst(burst: Burst): Card {
  const { id, members, now } = burst;
  const sorted = worstFirst(members, now);
  const [worst = ''] = sorted.map((incident) => MARKS[standing(incident, now).level]);
  const times = members.map(({ openedAt }) => Date.parse(openedAt));
  const title = `${worst} ${counted(members.length, 'leak')} reported in ${span(Math.max(...times) - Math.min(...times))}`;
  const more = members.length - LISTED;
  return {
    text: title,
    blocks: [
      { type: 'header', block_id: `title-${id}`, text: { type: 'plain_text', text: plain(title, 150) } },
      section(`counts-${id}`, [...countLines(members, now), ...aloneLine(burst)]),
      ...classesOf(burst)
        .slice(0, CLASSES)
        .map((all) => classBlock(burst, all)),
      ...sorted.slice(0, LISTED).map((incident) => memberBlock(burst, incident)),
      ...(more > 0
        ? [section(`more-${id}`, [`… and ${more} more. \`/tourniquet <id>\` and the App Home show each.`])]
        : []),
      context(`footer-${id}`, [
        `Burst ${code(id)}, since ${moment(Math.min(...times))}. Each incident has its own log and its own plan. Help: \`/tourniquet help\``,
      ]),
    ],
  };
}

const TIERS = ['severe', 'high', 'moderate', 'low'];

function worstFirst(members: readonly Incident[], now: number): Incident[] {
  const rank = (incident: Incident): number[] => {
    const tiers = incident.situations.map(({ radius }) => TIERS.indexOf(radius.tier) % TIERS.length);
    return [LEVELS.indexOf(standing(incident, now).level), Math.min(TIERS.length, ...tiers)];
  };
  return members
    .map((incident) => ({ incident, by: rank(incident) }))
    .sort((a, b) => (a.by[0] ?? 0) - (b.by[0] ?? 0) || (a.by[1] ?? 0) - (b.by[1] ?? 0))
    .map(({ incident }) => incident);
}

function countLines(members: readonly Incident[], now: number): string[] {
  const states = tally(members, (incident) => {
    const { level, title } = standing(incident, now);
    return `${MARKS[level]} ${title}`;
  });
  const places = tally(members, ({ identity }) =>
    identity ? `${identity.clusters.join('+')}/${identity.namespace}` : 'not identified yet',
  );
  return [
    ...some(lines(states, ': '), 12, 'kinds'),
    `*Where:* ${some(lines(places, ' '), 8, 'places').join(', ')}`,
  ];
}

const lines = (tallied: [string, number][], between: string): string[] =>
  tallied.map(([words, n]) => `${clean(words, 120)}${between}${between === ': ' ? `*${n}*` : n}`);

function tally(members: readonly Incident[], by: (incident: Incident) => string): [string, number][] {
  const counts = new Map<string, number>();
  for (const incident of members) counts.set(by(incident), (counts.get(by(incident)) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}

/** Where people have to approve and no press for many would count. */
function aloneLine(burst: Burst): string[] {
  const waiting = burst.members.filter((incident) => offers(incident).includes('approve'));
  const alone = waiting.filter((incident) => sameness(incident, burst.policy) === undefined);
  return alone.length === 0
    ? []
    : [
        `*${counted(alone.length, 'plan waits', 'plans wait')} for approval, each by itself:* the policy does not let them be approved together. Open the card, or use the App Home.`,
      ];
}

type Alike = { incident: Incident; same: Sameness }[];

/** Incidents that ask for the same, the most first; one alone has its own card for that. */
export function classesOf({ members, policy }: Pick<Burst, 'members' | 'policy'>): Alike[] {
  const classes = new Map<string, Alike>();
  for (const incident of members) {
    const same = sameness(incident, policy);
    if (same) classes.set(same.key, [...(classes.get(same.key) ?? []), { incident, same }]);
  }
  return [...classes.values()].filter(({ length }) => length > 1).sort((a, b) => b.length - a.length);
}

function classBlock({ id, policy, groups }: Burst, all: Alike): KnownBlock {
  const [first] = all;
  if (first === undefined) throw new Error('unreachable: a class has members');
  const { incident, same } = first;
  const names = [...new Set(same.steps.map(({ action }) => action))];
  const given = [
    ...new Set(all.flatMap((one) => votesFor(one.incident, same.verb, one.same.hash).map(({ by }) => by))),
  ];
  const voted = given.length > 0 ? ` Approved for some or all of them by ${people(given)}.` : '';
  return {
    ...section(`class-${id}-${same.key}`, [
      `*${all.length} ask for the same:* ${names.map((name) => code(name, 60)).join(', ')}`,
      ...asksText(incident, same.verb, policy, groups).map(
        (words) => `*Must be approved by:* ${mrkdwn(words)}.${voted}`,
      ),
    ]),
    accessory: {
      type: 'button',
      action_id: ACTIONS.together,
      style: 'danger',
      text: {
        type: 'plain_text',
        text: `${same.verb === 'contain' ? 'Quarantine' : 'Approve'} all ${all.length}…`,
      },
      value: JSON.stringify({ i: id, h: same.key }),
    },
  } as KnownBlock;
}

function memberBlock({ id, cards, now }: Burst, incident: Incident): KnownBlock {
  const card = cards.get(incident.id);
  const tier = incident.situations.some(({ radius }) => radius.tier === 'severe') ? ', *severe*' : '';
  const words = clean(headline(incident, now), 160);
  const block = section(`member-${id}-${incident.id}`, [
    `${words}${tier} (${code(incident.id.slice(0, 12))}${card ? `, ${link(card, 'card')}` : ''})`,
  ]);
  if (card !== undefined) return block;
  return {
    ...block,
    accessory: {
      type: 'button',
      action_id: ACTIONS.card,
      text: { type: 'plain_text', text: 'Open card' },
      value: JSON.stringify({ i: incident.id }),
    },
  } as KnownBlock;
}

/** One member and what a press would do to it, in one line. */
export function memberLine({ incident, same }: { incident: Incident; same: Sameness }): string {
  const steps = same.steps.map(
    ({ title, reversible }) => `${clean(title, 70)}${reversible ? '' : ' (for good)'}`,
  );
  const name = who(incident).replace(/^ · /, '');
  return `• *${clean(name, 110)}*: ${some(steps, 2, 'steps').join('; ')}`;
}
