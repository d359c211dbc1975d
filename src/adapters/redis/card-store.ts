// Remembers which Slack message shows which incident, so that a bot that was restarted goes on with the same card.
import type { Store } from './connect.ts';
import { keySpace } from './key-space.ts';

interface Card {
  channel: string;
  ts: string;
  telling?: number;
}

export function createCardStore({ store, prefix }: { store: Store; prefix: string }) {
  const space = keySpace(prefix);
  return {
    async get(incidentId: string): Promise<Card | 'posting' | undefined> {
      const stored = await store.run((redis) => redis.get(space.card(incidentId)));
      return stored === null ? undefined : (JSON.parse(stored) as Card | 'posting');
    },
    async put(incidentId: string, { channel, ts, telling }: Card): Promise<void> {
      await store.run((redis) => redis.set(space.card(incidentId), JSON.stringify({ channel, ts, telling })));
    },
    async mark(incidentId: string, state: 'posting'): Promise<void> {
      await store.run((redis) => redis.set(space.card(incidentId), JSON.stringify(state)));
    },
  };
}
