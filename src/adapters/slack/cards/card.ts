// The one message that shows an incident: everything a person needs to decide, and the buttons to do it.
import type { KnownBlock } from '@slack/types';
import type { Incident } from '../../../domain/incident/incident.ts';
import { cardGroups } from '../../../words/card/card.ts';
import { nowLines } from '../../../words/card/now.ts';
import { tokenLines } from '../../../words/card/token.ts';
import type { Approving } from '../../../words/standing/plan.ts';
import { clean, code, moment, mrkdwn } from '../mrkdwn/mrkdwn.ts';
import { context, section, within } from '../mrkdwn/sections.ts';
import { actionsBlock } from './buttons.ts';
import { headline } from './headline.ts';

export interface CardContext extends Approving {
  now: number;
  /** Keyed hash that ends the incident's log. */
  head: string;
}

export interface Card {
  text: string;
  blocks: KnownBlock[];
}

export function renderCard(incident: Incident, given: CardContext): Card {
  const title = headline(incident, given.now);
  const id = (name: string): string => `${name}-${incident.version}`;
  const sections = cardGroups(incident, given, given.now).map(({ name, lines }) =>
    section(id(name), lines.map(mrkdwn)),
  );
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

/** When the blocks are refused, the words alone. */
export function plainCard(incident: Incident, now: number): string {
  const lines = [...nowLines(incident), ...tokenLines(incident, now)].map(mrkdwn);
  return within(
    [
      `*${clean(headline(incident, now))}*`,
      ...lines,
      `This card could not be drawn in full: use \`/tourniquet ${clean(incident.id, 60)}\`.`,
    ],
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

const footer = ({ id, version, openedAt }: Incident, head: string): string =>
  `Incident ${code(id.slice(0, 12))}, opened ${moment(Date.parse(openedAt))}. Log entry ${version}${head ? `, ${code(head.slice(0, 16))}` : ''}. Help: \`/tourniquet help\``;
