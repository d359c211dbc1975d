// Searches everything that was written for the value of a token: plainly, in base64, and in pieces that would be enough to use it.
import { Redis } from 'ioredis';
import { scrub } from '../src/domain/text/scrub.ts';
import type { World } from './world.ts';

export interface Traces {
  searched: string[];
  found: string[];
}

/** Any of these gives the token away; the header alone is the same for every token of a key and gives nothing. */
export function needles(token: string): string[] {
  const [, payload = '', signature = ''] = token.split('.');
  const pieces = [payload, signature, Buffer.from(token).toString('base64').slice(200, 400)];
  // A forged token may lack a part, and nothing is found everywhere.
  return pieces.filter((piece) => piece !== '');
}

export async function inspectTraces(world: World, token: string): Promise<Traces> {
  const places: Record<string, string> = {
    'logs of bot and worker': world.output(),
    'everything sent to Slack': world.slack.dump(),
    'everything in Redis (incident log, queue, audit)': await dumpRedis(world),
  };
  const wanted = needles(token);
  const found = Object.entries(places).filter(([, content]) =>
    wanted.some((needle) => content.includes(needle)),
  );
  // Also one that nobody here knows of: an event that holds anything like a token is a leak.
  const events = await dumpRedis(world, ':log:');
  if (scrub(events) !== events) found.push(['an event in the incident log, of some token', '']);
  const empty = Object.entries(places).filter(([, content]) => content.length === 0);
  if (empty.length > 0)
    throw new Error(`There is nothing to search in: ${empty.map(([place]) => place).join(', ')}.`);
  return { searched: Object.keys(places), found: found.map(([place]) => place) };
}

/** Every key under the world's prefix with all that it holds, as text. */
export async function dumpRedis({ redis: { url, prefix } }: Pick<World, 'redis'>, of = ''): Promise<string> {
  const redis = new Redis(url);
  try {
    const parts: string[] = [];
    for await (const keys of redis.scanStream({ match: `${prefix}*${of}*`, count: 500 }))
      for (const key of keys as string[]) parts.push(key, await contentOf(redis, key));
    return parts.join('\n');
  } finally {
    redis.disconnect();
  }
}

async function contentOf(redis: Redis, key: string): Promise<string> {
  const type = await redis.type(key);
  if (type === 'string') return (await redis.get(key)) ?? '';
  if (type === 'list') return (await redis.lrange(key, 0, -1)).join('\n');
  if (type === 'hash') return JSON.stringify(await redis.hgetall(key));
  if (type === 'set') return (await redis.smembers(key)).join('\n');
  if (type === 'zset') return (await redis.zrange(key, '0', '-1')).join('\n');
  if (type === 'stream') return JSON.stringify(await redis.xrange(key, '-', '+'));
  return '';
}
