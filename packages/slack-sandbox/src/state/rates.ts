// Slack's published rate limits as token buckets: a burst, then a steady refill.

export type RateMode = 'slack' | 'off';

const TIER_2 = 20;
const TIER_3 = 50;
const TIER_4 = 100;
const MESSAGE_BURST = 4;

const PER_MINUTE: Record<string, number> = {
  'chat.update': TIER_3,
  'chat.delete': TIER_3,
  'chat.postEphemeral': TIER_4,
  'views.open': TIER_4,
  'views.push': TIER_4,
  'views.update': TIER_4,
  'views.publish': TIER_4,
  'conversations.info': TIER_3,
  'conversations.open': TIER_3,
  'conversations.history': TIER_3,
  'conversations.replies': TIER_3,
  'conversations.list': TIER_2,
  'conversations.members': TIER_4,
  'users.info': TIER_4,
  'users.list': TIER_2,
  'usergroups.list': TIER_2,
  'usergroups.users.list': TIER_2,
  'reactions.add': TIER_3,
};

export interface Rates {
  /** Takes one call; returns 0 or the seconds to wait. */
  take(method: string, channel: string): number;
}

export function createRates(mode: RateMode, now: () => number): Rates {
  const buckets = new Map<string, { tokens: number; at: number }>();

  function draw(key: string, burst: number, perSecond: number): number {
    const at = now();
    const last = buckets.get(key) ?? { tokens: burst, at };
    const tokens = Math.min(burst, last.tokens + ((at - last.at) / 1000) * perSecond);
    const isAllowed = tokens >= 1;
    buckets.set(key, { tokens: isAllowed ? tokens - 1 : tokens, at });
    return isAllowed ? 0 : Math.max(1, Math.ceil((1 - tokens) / perSecond));
  }

  return {
    take(method, channel) {
      if (mode === 'off') return 0;
      if (method === 'chat.postMessage') return draw(`${method} ${channel}`, MESSAGE_BURST, 1);
      const limit = PER_MINUTE[method];
      return limit === undefined ? 0 : draw(method, limit, limit / 60);
    },
  };
}
