// Keeps one message true: posted once, found again after a crash, updated when it would look different, posted anew where it was deleted.
import type { WebClient } from '@slack/web-api';
import type { Log } from '../../../log.ts';
import type { Clock } from '../../../ports/clock.ts';
import { type Card, likeness } from '../cards/card.ts';
import { slackCode } from '../connection/web-client.ts';
import type { CardStore, StoredCard } from './card-store.ts';
import { type About, findCard, postCard, updateCard, type Words } from './messages.ts';

export interface Keeping {
  client: WebClient;
  channel: string;
  store: CardStore;
  clock: Clock;
  log: Log;
}

/** What this process knows of a message; after a restart, or where another bot failed with it, Slack is asked again. */
export interface KnownMessage {
  /** Version up to which this process has reported. */
  shown?: number;
  likeness?: string;
  updatedAt?: number;
  /** Versions whose milestones stand in the thread; absent where that must be looked up. */
  told?: Set<number>;
}

const BAD_BLOCKS = [
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_blocks_too_long',
  'msg_too_long',
  'invalid_arguments',
];
export const GONE = ['message_not_found', 'thread_not_found', 'cant_update_message'];

export interface Shown {
  /** Where it is posted for the first time: in the thread of this message. */
  root?: string | undefined;
  /** Version up to which it was reported, for a message with a thread to tell. */
  cursor?: number;
}

export async function keep(
  options: Keeping,
  memory: KnownMessage,
  about: About,
  card: Card & Words,
  { root, cursor }: Shown = {},
): Promise<StoredCard> {
  let at = await existing(options, about, memory, root);
  // Somebody began to tell this and did not come to the end: what stands in Slack is not known here any more.
  if (at !== undefined && cursor !== undefined && at.telling === cursor) {
    delete memory.likeness;
    delete memory.told;
  }
  if (at === undefined) at = await post(options, memory, about, card, root);
  else if (memory.likeness !== likeness(card)) at = await update(options, memory, about, card, at, root);
  memory.likeness = likeness(card);
  return at;
}

/** The stored card, or the one that a process posted just before it died. */
async function existing(
  options: Keeping,
  incident: About,
  memory: KnownMessage,
  root: string | undefined,
): Promise<StoredCard | undefined> {
  const stored = await options.store.get(incident.id);
  if (stored !== 'posting') return stored;
  const found = await findCard(options, incident, root);
  if (found) {
    await options.store.put(incident.id, found);
    delete memory.told;
  }
  return found;
}

export async function post(
  options: Keeping,
  memory: KnownMessage,
  incident: About,
  words: Words,
  root?: string,
): Promise<StoredCard> {
  await options.store.mark(incident.id, 'posting');
  const card = await withFallback(options, words, (shown) => postCard(options, incident, shown, root));
  await options.store.put(incident.id, card);
  memory.updatedAt = options.clock.now();
  memory.told = new Set();
  return card;
}

async function update(
  options: Keeping,
  memory: KnownMessage,
  incident: About,
  words: Words,
  at: StoredCard,
  root: string | undefined,
): Promise<StoredCard> {
  // Also where it fails: a card that Slack refuses must not be sent at full speed.
  memory.updatedAt = options.clock.now();
  try {
    await withFallback(options, words, (shown) => updateCard(options, at, shown));
    return at;
  } catch (error) {
    if (!GONE.includes(slackCode(error) ?? '')) throw error;
    options.log.warn({ incident: incident.id }, 'slack: the card was deleted, a new one is posted');
    return post(options, memory, incident, words, root);
  }
}

/** Blocks that Slack refuses would be refused for ever: people get the words alone, the log the reason. */
export async function withFallback<T>(
  { log }: Keeping,
  words: Words,
  send: (shown: Words) => Promise<T>,
): Promise<T> {
  try {
    return await send(words);
  } catch (error) {
    const code = slackCode(error);
    if (code === undefined || !BAD_BLOCKS.includes(code) || words.blocks === undefined) throw error;
    log.error({ code }, 'slack: refused the blocks of a message, sending its text alone');
    return send({ text: words.fallback ?? words.text });
  }
}
