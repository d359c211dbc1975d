// What the tests of anchors, purges and audits share: incidents as the product writes them, in a real Redis.

import type { EventBody } from '../src/domain/incident/events.ts';
import { DEFAULT_PACE } from '../src/domain/plan/waves.ts';
import type { Settings } from '../src/engine/ground/deps.ts';
import { openWorld } from './adapters/redis/support.ts';
import { aPolicy, revoked } from './builders.ts';

export const DAY = 86_400_000;

export const settings: Settings = {
  timing: {
    approvalExpiry: DAY,
    stability: 15_000,
    retryEvery: 2000,
    recheckAfter: [],
    keepTokenFor: DAY,
    soak: DAY,
  },
  giveUpAfter: 120_000,
  policy: aPolicy(),
  autoContainPerHour: 10,
  pace: DEFAULT_PACE,
  searchNamespaces: {},
  reporters: ['slack', 'anchor'],
};

export const closedAs = (as: 'resolved' | 'declined' | 'false-alarm'): EventBody => ({
  type: 'closed',
  as,
  reason: 'for the test',
});

export const killed = (): EventBody[] => [...revoked(), closedAs('resolved')];

/** A Redis with incidents in it, as two bots see it. */
export function openBooks(redis: { url: string; prefix: string }) {
  const world = openWorld(redis);
  return {
    ...world,
    settings,
    /** Appends these events, shows them to everybody, and returns the head. */
    async write(id: string, events: EventBody[], from = { version: 0, head: '' }): Promise<string> {
      const result = await world.log.append({ id, expected: from.version, head: from.head, events });
      if (result.kind !== 'appended') throw new Error(result.kind);
      await this.show(id, from.version + events.length);
      return result.head;
    },
    async show(id: string, version: number): Promise<void> {
      for (const reporter of settings.reporters) await world.log.advance(reporter, id, version);
    },
    keys: async (): Promise<string[]> =>
      (await world.store.run((r) => r.keys(`${world.prefix}:*`))).map((key) =>
        key.slice(world.prefix.length + 1),
      ),
    raw: world.store.run,
  };
}
