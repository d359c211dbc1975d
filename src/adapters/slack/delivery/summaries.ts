// Keeps the summaries of bursts: which incident belongs to which, and one message for each, drawn again every few seconds at most.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Incident } from '../../../domain/incident/incident.ts';
import { groupsOf } from '../../../domain/rules/named.ts';
import type { Policy } from '../../../domain/rules/policy.ts';
import { AppError, isAppError } from '../../../errors.ts';
import type { Locks } from '../../../ports/locks.ts';
import { renderBurst } from '../cards/burst-card.ts';
import { slackError } from '../connection/web-client.ts';
import { clean } from '../mrkdwn/mrkdwn.ts';
import { type BurstLimits, permalink, type StoredCard, summaryOf } from './card-store.ts';
import { type Keeping, keep } from './kept-message.ts';

export interface SummaryOptions extends Keeping {
  policy: Policy;
  limits: BurstLimits;
  locks: Locks;
  /** Of the workspace, with its final slash. */
  url: string;
  incident(id: string): Promise<Incident | undefined>;
  members?: (group: string) => Promise<readonly string[] | undefined>;
}

export interface Summaries {
  /** The burst that this incident belongs to, whose summary is then due; undefined: none. */
  place(incident: Incident): Promise<string | undefined>;
  /** The message in whose thread the cards of a burst stand. Throws AppError where it is not there yet. */
  root(burst: string): Promise<string>;
  /** Draws what is due. To be called every few seconds. */
  redraw(): Promise<void>;
}

const LOCK_MS = 10_000;

export function burstSummaries(options: SummaryOptions): Summaries {
  const { store, limits, log, clock } = options;
  let notBefore = 0;
  return {
    async place({ id, openedAt, alerts }) {
      // Whoever asked looks for a card in the channel, and asks for one at a time.
      if (alerts[0]?.alert.reporter !== undefined) return undefined;
      const burst = await store.place(id, Date.parse(openedAt), limits);
      // Before it is called reported, so that a crash leaves the summary due.
      if (burst !== undefined) await store.touch(burst);
      return burst;
    },
    async root(burst) {
      const at =
        (await posted(options, burst)) ?? (await draw(options, burst).then(() => posted(options, burst)));
      if (at) return at.ts;
      throw new AppError('slack-unavailable', 'The summary of the burst is being posted; the card follows.', {
        retry: true,
      });
    },
    async redraw() {
      for (const burst of await store.touched()) {
        if (clock.now() < notBefore) return;
        try {
          await draw(options, burst);
        } catch (error) {
          const wait = isAppError(error) ? (error.retryAfterMs ?? 0) : 0;
          notBefore = clock.now() + wait;
          log.warn({ err: error, burst }, 'slack: a summary could not be drawn; it is tried again');
        }
      }
    },
  };
}

async function posted({ store }: SummaryOptions, burst: string): Promise<StoredCard | undefined> {
  const at = await store.get(summaryOf(burst));
  return at === 'posting' ? undefined : at;
}

/** One process at a time; the other one leaves it to the holder. It stays due until it was drawn, for the holder may die. */
async function draw(options: SummaryOptions, burst: string): Promise<void> {
  const { store, locks, channel } = options;
  const lock = await locks.take(`summary:${burst}`, LOCK_MS);
  if (lock === undefined) return void (await sleep(50));
  try {
    // Before the incidents are read: what changes meanwhile stays due.
    const touch = await store.touchOf(burst);
    await drawNow(options, burst);
    if (touch !== undefined) await store.settle(burst, touch);
  } catch (error) {
    throw slackError(error, channel);
  } finally {
    await lock.release();
  }
}

async function drawNow(options: SummaryOptions, burst: string): Promise<void> {
  const { store, policy, clock, url, members } = options;
  const ids = await store.members(burst);
  const loaded = await Promise.all(ids.map((id) => readable(options, id)));
  const incidents = loaded.filter((one) => one !== undefined);
  const [first] = incidents;
  if (first === undefined) return;
  const cards = new Map<string, string>();
  for (const id of ids) {
    const card = await store.get(id);
    if (card !== undefined && card !== 'posting') cards.set(id, permalink(url, card));
  }
  const asked = groupsOf(policy).map(async (group) => [group, await members?.(group)] as const);
  const groups = Object.fromEntries(await Promise.all(asked));
  const card = renderBurst({ id: burst, members: incidents, cards, policy, groups, now: clock.now() });
  const fallback = `*${clean(card.text)}* This summary could not be drawn in full: \`/tourniquet\` and the App Home list the incidents.`;
  // Nothing is remembered from the last time: another bot may have drawn it since.
  await keep(options, {}, { id: summaryOf(burst), openedAt: first.openedAt }, { ...card, fallback });
}

/** One damaged log must not hide the others. */
async function readable({ incident, log }: SummaryOptions, id: string): Promise<Incident | undefined> {
  try {
    return await incident(id);
  } catch (err) {
    if (!isAppError(err, 'log-damaged')) throw err;
    log.warn({ err, incident: id }, 'slack: a damaged incident is missing in a summary');
    return undefined;
  }
}
