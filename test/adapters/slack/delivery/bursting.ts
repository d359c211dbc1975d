// A workspace whose reporters keep summaries of bursts, with the store and the locks in a real Redis.
import { createCardStore } from '../../../../src/adapters/redis/card-store.ts';
import { createLocks } from '../../../../src/adapters/redis/locks.ts';
import type { CardStore } from '../../../../src/adapters/slack/delivery/card-store.ts';
import {
  burstSummaries,
  type Summaries,
  type SummaryOptions,
} from '../../../../src/adapters/slack/delivery/summaries.ts';
import type { Incident } from '../../../../src/domain/incident/incident.ts';
import type { Policy } from '../../../../src/domain/rules/policy.ts';
import type { Reporter } from '../../../../src/ports/reporter.ts';
import type { openWorld } from '../../redis/support.ts';
import { recordingLog } from '../../redis/support.ts';
import { CHANNEL, startWorld, type World } from '../world.ts';

export interface Bursting {
  world: World;
  cards: CardStore;
  /** As a process of its own would make them. */
  bot(changes?: Partial<SummaryOptions>): { summaries: Summaries; reporter: Reporter };
}

/** `incident`: where they are read; absent: from the front in memory. */
export async function startBursting(
  { store }: Pick<ReturnType<typeof openWorld>, 'store'>,
  prefix: string,
  policy: Policy,
  given: { bolt?: boolean; incident?: (id: string) => Promise<Incident> } = {},
): Promise<Bursting> {
  const cards = createCardStore({ store, prefix });
  const { bolt = true } = given;
  const world = await startWorld({ bolt, policy, cards });
  const kept = {
    client: world.client,
    channel: CHANNEL,
    store: cards,
    policy,
    clock: { now: () => Date.now() },
    log: recordingLog(),
    limits: { cards: 5, within: 60_000 },
    url: 'https://workspace.example/',
    incident: given.incident ?? ((id: string) => world.front.incident(id)),
  };
  const bot = (changes: Partial<SummaryOptions> = {}) => {
    const summaries = burstSummaries({ ...kept, locks: createLocks({ store, prefix }), ...changes });
    return { summaries, reporter: world.newReporter({ summaries }) };
  };
  return { world, cards, bot };
}
