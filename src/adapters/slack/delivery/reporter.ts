// Shows incidents in Slack: one card each, brought up to date, and milestones in its thread, each once.
import { setTimeout as sleep } from 'node:timers/promises';
import type { IncidentEvent } from '../../../domain/incident/events.ts';
import type { Incident } from '../../../domain/incident/incident.ts';
import { groupsOf } from '../../../domain/rules/named.ts';
import type { Policy } from '../../../domain/rules/policy.ts';
import type { Reporter } from '../../../ports/reporter.ts';
import { type CardContext, plainCard, renderCard } from '../cards/card.ts';
import { type Milestone, milestones } from '../cards/milestones.ts';
import { isUncertain, slackCode, slackError } from '../connection/web-client.ts';
import type { StoredCard } from './card-store.ts';
import { GONE, type Keeping, type KnownMessage, keep, post, withFallback } from './kept-message.ts';
import { postReply, toldVersions } from './messages.ts';
import type { Summaries } from './summaries.ts';

export interface ReporterOptions extends Keeping {
  policy: Policy;
  /** Who is in a user group; undefined where Slack does not say. */
  members?: (group: string) => Promise<readonly string[] | undefined>;
  /** Shortest time between two updates of one card, milliseconds. */
  updateEvery: number;
  /** The incident as it is now, so that a card that had to wait shows no old state. */
  newest?: (id: string) => Promise<Snapshot | undefined>;
  /** Absent: every incident has a card in the channel. */
  summaries?: Pick<Summaries, 'place' | 'root'>;
}

export interface Snapshot {
  incident: Incident;
  events: IncidentEvent[];
  head: string;
}

const MAX_KNOWN = 500;

export function slackReporter(options: ReporterOptions): Reporter {
  const known = new Map<string, KnownMessage>();
  return {
    name: 'slack',
    async report(incident, events, cursor, head) {
      const memory = recall(known, incident.id);
      try {
        const burst = await options.summaries?.place(incident);
        if (burst !== undefined && !(await hasOwnCard(options, incident.id, events))) return incident.version;
        const root = burst === undefined ? undefined : await options.summaries?.root(burst);
        const latest = await calm(options, memory, { incident, events, head });
        // Another bot has changed the card since.
        if (memory.shown !== cursor) delete memory.likeness;
        await show(options, memory, latest, cursor, root);
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

/** One of many in a summary has a card too where it had one before, where somebody asked, or where a person is needed for it alone. */
const hasOwnCard = async ({ store }: ReporterOptions, id: string, events: readonly IncidentEvent[]) =>
  events.some(standsOut) || (await store.get(id)) !== undefined;

function standsOut(event: IncidentEvent): boolean {
  if (event.type === 'decided') return event.decision.verb === 'break-glass';
  if (event.type === 'proved') return event.outcome.verdict !== 'done';
  return STANDING_OUT.includes(event.type);
}

const STANDING_OUT: readonly IncidentEvent['type'][] = [
  'card-asked',
  'reminded',
  'plan-expired',
  'run-stopped',
  'reopened',
  'decision-refused',
];

function recall(known: Map<string, KnownMessage>, id: string): KnownMessage {
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
  memory: KnownMessage,
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
  memory: KnownMessage,
  latest: Snapshot,
  cursor: number,
  root: string | undefined,
): Promise<void> {
  const { incident } = latest;
  const card = renderCard(incident, await contextOf(options, latest));
  const words = { ...card, fallback: plainCard(incident, options.clock.now()) };
  const at = await keep(options, memory, incident, words, { root, cursor });
  try {
    await tell(options, memory, latest, cursor, at);
  } catch (error) {
    if (!GONE.includes(slackCode(error) ?? '')) throw error;
    await tell(options, memory, latest, cursor, await post(options, memory, incident, words, root));
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

async function tell(
  options: ReporterOptions,
  memory: KnownMessage,
  latest: Snapshot,
  cursor: number,
  at: StoredCard,
): Promise<void> {
  const { incident, events } = latest;
  const due = milestones(incident.id, events, cursor, options.policy);
  if (due.length === 0) return;
  const told = memory.told ?? (await toldVersions(options, at, incident.id));
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
      .postMessage({ channel: user, text: `An incident in <#${at.channel}> waits for you. ${text}` })
      .catch((error: unknown) =>
        log.warn({ incident: incidentId, code: slackCode(error) }, 'slack: no direct message'),
      );
}
