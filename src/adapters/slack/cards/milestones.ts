// What is worth a reply in the thread, as Slack shows it.
import type { KnownBlock } from '@slack/types';
import type { IncidentEvent } from '../../../domain/incident/events.ts';
import type { Policy } from '../../../domain/rules/policy.ts';
import { milestones as words } from '../../../words/thread/milestones.ts';
import { mrkdwn } from '../mrkdwn/mrkdwn.ts';
import { section, within } from '../mrkdwn/sections.ts';

export interface Milestone {
  /** Version of the event that it tells of; at most one for each. */
  v: number;
  text: string;
  blocks?: KnownBlock[];
  /** Slack user ids who are told by a direct message too. */
  alone?: string[];
}

/** `events` is the whole log of the incident. */
export const milestones = (
  id: string,
  events: readonly IncidentEvent[],
  cursor: number,
  policy: Policy,
): Milestone[] =>
  words(id, events, cursor, policy).map(({ v, lines, proof, alone }) => {
    const drawn = lines.map(mrkdwn);
    return {
      v,
      text: within(drawn, 3000),
      ...(proof ? { blocks: [section(`proof-${v}`, drawn)] } : {}),
      ...(alone.length > 0 ? { alone } : {}),
    };
  });
