// Remembers which Slack message shows which incident, so that a bot that was restarted goes on with the same card.
import { randomUUID } from 'node:crypto';
import type { Store } from './connect.ts';
import { keySpace } from './key-space.ts';
import { PLACE } from './scripts.lua.ts';

interface Card {
  channel: string;
  ts: string;
  telling?: number;
  root?: string;
}

/** A person cannot read more than that; the next incident begins another burst. */
const MOST = 100;

const SETTLE = `if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end`;

export function createCardStore({ store, prefix }: { store: Store; prefix: string }) {
  const space = keySpace(prefix);
  return {
    async get(incidentId: string): Promise<Card | 'posting' | undefined> {
      const stored = await store.run((redis) => redis.get(space.card(incidentId)));
      return stored === null ? undefined : (JSON.parse(stored) as Card | 'posting');
    },
    async put(incidentId: string, { channel, ts, root, telling }: Card): Promise<void> {
      const card = JSON.stringify({ channel, ts, root, telling });
      await store.run((redis) => redis.set(space.card(incidentId), card));
    },
    async mark(incidentId: string, state: 'posting'): Promise<void> {
      await store.run((redis) => redis.set(space.card(incidentId), JSON.stringify(state)));
    },
    async burstOf(incidentId: string): Promise<string | undefined> {
      return (await store.run((redis) => redis.hget(space.burstOf, incidentId))) || undefined;
    },
    async place(
      incidentId: string,
      openedAt: number,
      { cards, within }: { cards: number; within: number },
    ): Promise<string | undefined> {
      const names = [space.burstOf, space.openings, space.burstNow];
      const times = [openedAt, openedAt - within, openedAt + within, openedAt - 10 * within].map(String);
      const args = [space.burst(''), incidentId, cards, MOST, ...times];
      const burst = await store.run((redis) => redis.eval(PLACE, names.length, ...names, ...args));
      return (burst as string) || undefined;
    },
    members: (burst: string): Promise<string[]> =>
      store.run((redis) => redis.zrangebyscore(space.burst(burst), '-inf', '+inf')),
    async touch(burst: string): Promise<void> {
      await store.run((redis) => redis.hset(space.touched, burst, randomUUID()));
    },
    touched: (): Promise<string[]> => store.run((redis) => redis.hkeys(space.touched)),
    touchOf: async (burst: string): Promise<string | undefined> =>
      (await store.run((redis) => redis.hget(space.touched, burst))) ?? undefined,
    async settle(burst: string, touch: string): Promise<void> {
      await store.run((redis) => redis.eval(SETTLE, 1, space.touched, burst, touch));
    },
  };
}
