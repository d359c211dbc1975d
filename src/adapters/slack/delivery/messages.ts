// Posts, updates and finds our messages; each carries metadata by which it is recognised after a crash.
import type { KnownBlock } from '@slack/types';
import type { WebClient } from '@slack/web-api';
import type { Incident } from '../../../domain/incident/incident.ts';
import type { StoredCard } from './card-store.ts';

export interface Words {
  text: string;
  blocks?: KnownBlock[];
  /** In place of the blocks, where Slack refuses them. */
  fallback?: string;
}

export const CARD_EVENT = 'tourniquet_incident';
export const REPLY_EVENT = 'tourniquet_milestone';

/** How far Slack's clock may be off ours. */
const SKEW_S = 300;

export interface MessagePlace {
  client: WebClient;
  channel: string;
}

/** What a message is about: an incident, or the summary of several. */
export type About = Pick<Incident, 'id' | 'openedAt'>;

/** `root`: in the thread of this message. */
export async function postCard(
  { client, channel }: MessagePlace,
  incident: About,
  words: Words,
  root?: string,
): Promise<StoredCard> {
  const sent = await client.chat.postMessage({
    channel,
    ...(root === undefined ? {} : { thread_ts: root }),
    ...shown(words),
    unfurl_links: false,
    unfurl_media: false,
    metadata: { event_type: CARD_EVENT, event_payload: { incident_id: incident.id } },
  });
  return { channel: sent.channel ?? channel, ts: sent.ts ?? '', ...(root === undefined ? {} : { root }) };
}

export async function updateCard({ client }: MessagePlace, at: StoredCard, words: Words): Promise<void> {
  // Without blocks the old ones would stay.
  await client.chat.update({ channel: at.channel, ts: at.ts, blocks: [], ...shown(words) });
}

export async function postReply(
  { client }: MessagePlace,
  at: StoredCard,
  about: { incidentId: string; v: number },
  words: Words,
): Promise<void> {
  await client.chat.postMessage({
    channel: at.channel,
    thread_ts: at.root ?? at.ts,
    ...shown(words),
    unfurl_links: false,
    unfurl_media: false,
    metadata: { event_type: REPLY_EVENT, event_payload: { incident_id: about.incidentId, v: about.v } },
  });
}

export async function findCard(
  { client, channel }: MessagePlace,
  incident: About,
  root?: string,
): Promise<StoredCard | undefined> {
  const oldest = String(Date.parse(incident.openedAt) / 1000 - SKEW_S);
  const query = { channel, oldest, limit: 200, include_all_metadata: true };
  const isIt = ({ metadata }: Found): boolean =>
    metadata?.event_type === CARD_EVENT && metadata.event_payload?.incident_id === incident.id;
  const found = await find((cursor) => client.conversations.history({ ...query, ...cursor }), isIt);
  if (found?.ts !== undefined) return { channel, ts: found.ts };
  if (root === undefined) return undefined;
  const thread = { channel, ts: root, limit: 200, include_all_metadata: true };
  const inside = await find((cursor) => client.conversations.replies({ ...thread, ...cursor }), isIt);
  return inside?.ts === undefined ? undefined : { channel, ts: inside.ts, root };
}

/** Versions whose milestones stand in the thread already; several incidents may share one. */
export async function toldVersions(
  { client }: MessagePlace,
  at: StoredCard,
  id: string,
): Promise<Set<number>> {
  const told = new Set<number>();
  const query = { channel: at.channel, ts: at.root ?? at.ts, limit: 200, include_all_metadata: true };
  await find(
    (cursor) => client.conversations.replies({ ...query, ...cursor }),
    ({ metadata }) => {
      if (metadata?.event_type === REPLY_EVENT && metadata.event_payload?.incident_id === id)
        told.add(Number(metadata.event_payload?.v));
      return false;
    },
  );
  return told;
}

interface Found {
  ts?: string;
  metadata?: { event_type?: string; event_payload?: Record<string, unknown> };
}

interface Page {
  messages?: unknown[];
  response_metadata?: { next_cursor?: string };
}

/** Walks the pages to the first message that fits. */
async function find(
  fetchPage: (cursor: { cursor?: string }) => Promise<Page>,
  fits: (message: Found) => boolean,
): Promise<Found | undefined> {
  let cursor: string | undefined;
  do {
    const page = await fetchPage(cursor ? { cursor } : {});
    const found = (page.messages as Found[] | undefined)?.find(fits);
    if (found) return found;
    cursor = page.response_metadata?.next_cursor || undefined;
  } while (cursor !== undefined);
  return undefined;
}

const shown = ({ text, blocks }: Words): { text: string; blocks?: KnownBlock[] } => ({
  text,
  ...(blocks ? { blocks } : {}),
});
