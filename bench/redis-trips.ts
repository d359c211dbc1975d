// Counts what a kill waits for, as seen on the wire and not as the code promises: its round trips to Redis, one packet each.
import { type Packet, type ScriptNames, type Tap, tapRedis } from './redis-tap.ts';
import { openStage, type Round, raiseAlarm } from './stage.ts';

const ALERTS = 5;
const ROLES = ['bot', 'worker'] as const;

type Sent = Packet & { role: (typeof ROLES)[number] };

/** The way of each alert, as words; in a world of its own, since the taps cost time. */
export async function redisTrips(): Promise<string[][]> {
  const stage = await openStage({ alerts: 2 * ALERTS });
  const names: ScriptNames = new Map();
  const taps: Tap[] = [];
  try {
    const redis = stage.world.redis.url;
    for (const role of ROLES) {
      const tap = await tapRedis(redis, names);
      taps.push(tap);
      stage.world.env.REDIS_URL = tap.url;
      await stage.world.startRole(role);
    }
    const ways: string[][] = [];
    for (let i = 0; i < 2 * ALERTS; i++) {
      for (const tap of taps) tap.packets.length = 0;
      const round = await raiseAlarm(stage, await stage.target.seed());
      const sent = taps.flatMap(({ packets }, nth) =>
        packets.map((packet) => ({ ...packet, role: ROLES[nth] ?? 'bot' })),
      );
      if (i >= ALERTS) ways.push(wayOf(round, sent));
      await stage.calm();
    }
    return ways;
  } finally {
    await stage.close();
    for (const tap of taps) await tap.close();
  }
}

/** Only what the kill waited for: what was done beside it, and the polls of the queue, do not count. */
function wayOf({ sentAt, kill }: Round, sent: Sent[]): string[] {
  const before = sent.filter(({ at }) => at > sentAt && at < kill.at).sort((a, b) => a.at - b.at);
  const steps = before.map(({ role, commands }) => ({ role, does: doings(commands) }));
  const accepted = steps.findIndex(({ does }) => does.includes('enqueue'));
  const way: string[] = [];
  for (const [i, { role, does }] of steps.entries()) {
    if (does.length === 0 || (role === 'bot' && i > accepted)) continue;
    const step = `${role}: ${does.join(' + ')}`;
    // A worker with free hands looks at once whether there is another job, while the first is under way.
    if (!(does.includes('take the job') && way.includes(step))) way.push(step);
  }
  return way;
}

function doings(commands: string[][]): string[] {
  const does = commands.map(([verb, what = '', , key = '']) => {
    if (verb === 'get' && what.includes(':seen:')) return 'was it delivered before?';
    if (what === 'load the incident') return what;
    if (verb === 'eval' && key.includes(':claim:')) return 'is it known?';
    if (verb === 'eval' && key.includes(':log:')) return 'append to the log';
    if (what.startsWith('Adds a job') && key.includes('-worker:')) return 'enqueue';
    if (what.startsWith('Move next job') && key.includes('-worker:')) return 'take the job';
    if (verb === 'get' && what.includes(':token:')) return 'open the token';
    return '';
  });
  return does.filter(Boolean);
}
