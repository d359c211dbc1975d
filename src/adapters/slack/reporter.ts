// Shows incidents in Slack: one card each, brought up to date, and milestones in its thread, each once.
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebClient } from '@slack/web-api';
import type { Incident, IncidentEvent } from '../../domain/incident.ts';
import { scrub } from '../../domain/leak-material.ts';
import type { Policy } from '../../domain/policy.ts';
import { groupsOf } from '../../domain/votes.ts';
import type { Log } from '../../log.ts';
import type { Clock, Reporter } from '../../ports.ts';
import { type CardContext, likeness, plainCard, renderCard } from './card.ts';
import type { CardStore, StoredCard } from './card-store.ts';
import { findCard, postCard, postReply, toldVersions, updateCard, type Words } from './messages.ts';
import { type Milestone, milestones } from './milestones.ts';
import { isUncertain, slackCode, slackError } from './web-client.ts';

export interface ReporterOptions {
  client: WebClient;
  channel: string;
  store: CardStore;
  policy: Policy;
  /** Who is in a user group; undefined where Slack does not say. */
  members?: (group: string) => Promise<readonly string[] | undefined>;
  /** Shortest time between two updates of one card, milliseconds. */
  updateEvery: number;
  clock: Clock;
  log: Log;
  /** The incident as it is now, so that a card that had to wait shows no old state. */
  newest?: (id: string) => Promise<Snapshot | undefined>;
}

export interface Snapshot {
  incident: Incident;
  events: IncidentEvent[];
  head: string;
}

/** What this process knows of a card; after a restart, or where another bot failed with it, Slack is asked again. */
interface Known {
  /** Version up to which this process has reported. */
  shown?: number;
  likeness?: string;
  updatedAt?: number;
  /** Versions whose milestones stand in the thread; absent where that must be looked up. */
  told?: Set<number>;
}

const MAX_KNOWN = 500;
const BAD_BLOCKS = [
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_blocks_too_long',
  'msg_too_long',
  'invalid_arguments',
];
const GONE = ['message_not_found', 'thread_not_found', 'cant_update_message'];

export function slackReporter(options: ReporterOptions): Reporter {
  const known = new Map<string, Known>();
  return {
    name: 'slack',
    async report(incident, events, cursor, head) {
      const memory = recall(known, incident.id);
      try {
        const latest = await calm(options, memory, { incident, events, head });
        // Another bot has changed the card since.
        if (memory.shown !== cursor) delete memory.likeness;
        await show(options, memory, latest, cursor);
        memory.shown = latest.incident.version;
        return latest.incident.version;
      } catch (error) {
        // Whether the last message got through is not known, so the thread is read before it is written to again.
        if (isUncertain(error)) delete memory.told;
        throw slackError(error, options.channel);
      }
    },
  };
}

function recall(known: Map<string, Known>, id: string): Known {
  const memory = known.get(id) ?? {};
  known.delete(id);
  known.set(id, memory);
  const [oldest] = known.keys();
  if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest);
  return memory;
}

/** Waits until the card may be updated again, and then takes what is true by then. */
async function calm(
  { updateEvery, clock, newest }: ReporterOptions,
  memory: Known,
  given: Snapshot,
): Promise<Snapshot> {
  const wait = (memory.updatedAt ?? Number.NEGATIVE_INFINITY) + updateEvery - clock.now();
  if (wait <= 0) return given;
  await sleep(wait);
  const latest = await newest?.(given.incident.id);
  return latest && latest.incident.version > given.incident.version ? latest : given;
}

async function show(
  options: ReporterOptions,
  memory: Known,
  latest: Snapshot,
  cursor: number,
): Promise<void> {
  const { incident } = latest;
  const card = renderCard(incident, await contextOf(options, latest));
  const words: Words = { ...card, fallback: plainCard(incident, options.clock.now()) };
  let at = await existing(options, incident, memory);
  // Somebody began to tell this and did not come to the end: what stands in Slack is not known here any more.
  if (at?.telling === cursor) {
    delete memory.likeness;
    delete memory.told;
  }
  if (at === undefined) at = await post(options, memory, incident, words);
  else if (memory.likeness !== likeness(card)) at = await update(options, memory, incident, words, at);
  memory.likeness = likeness(card);
  try {
    await tell(options, memory, latest, cursor, at);
  } catch (error) {
    if (!GONE.includes(slackCode(error) ?? '')) throw error;
    await tell(options, memory, latest, cursor, await post(options, memory, incident, words));
  }
}

async function contextOf(
  { policy, members, clock }: ReporterOptions,
  { head }: Snapshot,
): Promise<CardContext> {
  const groups = await Promise.all(
    groupsOf(policy).map(async (group) => [group, await members?.(group)] as const),
  );
  return { policy, groups: Object.fromEntries(groups), now: clock.now(), head };
}

/** The stored card, or the one that a process posted just before it died. */
async function existing(
  options: ReporterOptions,
  incident: Incident,
  memory: Known,
): Promise<StoredCard | undefined> {
  const stored = await options.store.get(incident.id);
  if (stored !== 'posting') return stored;
  const found = await findCard(options, incident);
  if (found) {
    await options.store.put(incident.id, found);
    delete memory.told;
  }
  return found;
}

async function post(
  options: ReporterOptions,
  memory: Known,
  incident: Incident,
  words: Words,
): Promise<StoredCard> {
  await options.store.mark(incident.id, 'posting');
  const card = await withFallback(options, words, (shown) => postCard(options, incident, shown));
  await options.store.put(incident.id, card);
  memory.updatedAt = options.clock.now();
  memory.told = new Set();
  return card;
}

async function update(
  options: ReporterOptions,
  memory: Known,
  incident: Incident,
  words: Words,
  at: StoredCard,
): Promise<StoredCard> {
  // Also where it fails: a card that Slack refuses must not be sent at full speed.
  memory.updatedAt = options.clock.now();
  try {
    await withFallback(options, words, (shown) => updateCard(options, at, shown));
    return at;
  } catch (error) {
    if (!GONE.includes(slackCode(error) ?? '')) throw error;
    options.log.warn({ incident: incident.id }, 'slack: the card was deleted, a new one is posted');
    return post(options, memory, incident, words);
  }
}

/** Blocks that Slack refuses would be refused for ever: people get the words alone, the log the reason. */
async function withFallback<T>(
  { log }: ReporterOptions,
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

async function tell(
  options: ReporterOptions,
  memory: Known,
  latest: Snapshot,
  cursor: number,
  at: StoredCard,
): Promise<void> {
  const { incident, events } = latest;
  const due = milestones(incident.id, events, cursor, options.policy);
  if (due.length === 0) return;
  const told = memory.told ?? (await toldVersions(options, at));
  memory.told = told;
  if (at.telling !== cursor) await options.store.put(incident.id, { ...at, telling: cursor });
  for (const milestone of due) {
    if (told.has(milestone.v)) continue;
    await withFallback(options, milestone, (shown) =>
      postReply(options, at, { incidentId: incident.id, v: milestone.v }, shown),
    );
    told.add(milestone.v);
    await tellAlone(options, incident.id, milestone, at);
  }
}

const MOST_ALONE = 20;

/** A courtesy: who cannot be written to has been mentioned in the thread. */
async function tellAlone(
  { client, log }: ReporterOptions,
  incidentId: string,
  { alone = [], text }: Milestone,
  at: StoredCard,
): Promise<void> {
  for (const user of alone.slice(0, MOST_ALONE))
    await client.chat
      .postMessage({ channel: user, text: scrub(`An incident in <#${at.channel}> waits for you. ${text}`) })
      .catch((error: unknown) =>
        log.warn({ incident: incidentId, code: slackCode(error) }, 'slack: no direct message'),
      );
}
