// The incident log on a real Redis: one writer wins, nothing is half-written, and no change to it goes unnoticed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SandboxRedis, startRedis } from '../../../sandbox/redis.ts';
import { deriveKeys } from '../../../src/adapters/redis/derived-keys.ts';
import { createIncidentLog } from '../../../src/adapters/redis/incident-log.ts';
import { Secret } from '../../../src/secret.ts';
import { openWorld, trouble } from './support.ts';

let redis: SandboxRedis;
let world: ReturnType<typeof openWorld>;

beforeAll(async () => {
  redis = await startRedis();
  world = openWorld(redis);
});

afterAll(async () => {
  await world.close();
  await redis.close();
});

const raw = <T>(call: Parameters<typeof world.store.run<T>>[0]) => world.store.run(call);
const rawLog = (id: string) => raw((r) => r.lrange(world.space.log(id), 0, -1));

test('versions are how many events each log has, in the order asked', async () => {
  const [one, two] = [world.newId(), world.newId()];
  const head = await world.open(one);
  await world.open(two);
  await world.log.append({ id: one, expected: 1, events: [trouble('a'), trouble('b')], head });
  expect(await world.log.versions([two, 'nobody', one])).toEqual([1, 0, 3]);
  expect(await world.log.versions([])).toEqual([]);
});

describe('append', () => {
  test('several events at once come back numbered, dated and chained', async () => {
    const id = world.newId();
    const result = await world.log.append({
      id,
      expected: 0,
      events: [trouble('a'), trouble('ü\n"b"')],
      head: '',
    });
    const loaded = await world.log.load(id);
    expect(result).toEqual({ kind: 'appended', events: loaded?.events, head: loaded?.head });
    expect(loaded?.events).toEqual([
      { v: 1, at: '2023-11-14T22:13:20.000Z', ...trouble('a') },
      { v: 2, at: '2023-11-14T22:13:20.000Z', ...trouble('ü\n"b"') },
    ]);
    expect(loaded?.cursors).toEqual({});
    expect(loaded?.head).toMatch(/^[0-9a-f]{64}$/);
  });

  test('of 50 at the same version exactly one is appended', async () => {
    const id = world.newId();
    const head = await world.open(id);
    const racers = Array.from({ length: 50 }, (_, i) =>
      world.log.append({ id, expected: 1, events: [trouble(`racer ${i}`)], head }),
    );
    const kinds = (await Promise.all(racers)).map((result) => result.kind);
    expect(kinds.filter((kind) => kind === 'appended')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'conflict')).toHaveLength(49);
    expect((await world.log.load(id))?.events).toHaveLength(2);
  });

  test('50 that open the same incident open it once', async () => {
    const id = world.newId();
    const racers = Array.from({ length: 50 }, () =>
      world.log.append({ id, expected: 0, events: [trouble('first')], head: '' }),
    );
    expect((await Promise.all(racers)).filter((result) => result.kind === 'appended')).toHaveLength(1);
    expect(await rawLog(id)).toHaveLength(1);
  });

  test.each([
    ['an older version', { expected: 1 }],
    ['a version that does not exist yet', { expected: 3 }],
    ['the right version after another event than the last', { expected: 2, head: 'f'.repeat(64) }],
  ])('%s is a conflict, and writes nothing at all', async (_, stale) => {
    const id = world.newId();
    const head = await world.open(id, 2);
    await raw((r) => r.srem(world.space.sweep, id));
    const before = await allKeys();
    const result = await world.log.append({
      id,
      events: [trouble('late')],
      head,
      claim: [{ key: `late-${id}`, from: null }],
      seal: { token: new Secret('x'), ttlMs: 1000 },
      budgets: [{ name: `late-${id}`, limit: 9, windowMs: 1000 }],
      ...stale,
    });
    expect(result).toEqual({ kind: 'conflict' });
    expect(await allKeys()).toEqual(before);
    expect(await rawLog(id)).toHaveLength(2);
    expect(await world.log.toSweep()).not.toContain(id);
  });
});

async function allKeys(): Promise<string[]> {
  return (await raw((r) => r.keys(`${world.prefix}:*`))).sort();
}

describe('claims', () => {
  const claiming = (id: string, key: string, from: string | null = null) =>
    world.log.append({ id, expected: 0, events: [trouble('claims')], head: '', claim: [{ key, from }] });

  test('of 20 incidents that claim one key, one gets it and the others learn whose it is', async () => {
    const ids = Array.from({ length: 20 }, () => world.newId());
    const results = await Promise.all(ids.map((id) => claiming(id, 'finding')));
    const winner = ids[results.findIndex((result) => result.kind === 'appended')];
    expect(results.filter((result) => result.kind === 'appended')).toHaveLength(1);
    expect(results.filter((result) => result.kind === 'held')).toEqual(
      Array.from({ length: 19 }, () => ({ kind: 'held', by: winner, key: 'finding' })),
    );
    expect(await world.log.find('finding')).toBe(winner);
    expect(await world.log.find('no such finding')).toBeUndefined();
    const loaded = await Promise.all(ids.map((id) => world.log.load(id)));
    expect(loaded.filter((one) => one !== undefined)).toHaveLength(1);
  });

  test('a claim is taken over from the incident that is named, by one of many, and not from another', async () => {
    const old = world.newId();
    await claiming(old, 'again');
    expect(await claiming(world.newId(), 'again', 'somebody-else')).toEqual({
      kind: 'held',
      by: old,
      key: 'again',
    });
    const heirs = Array.from({ length: 10 }, () => world.newId());
    const results = await Promise.all(heirs.map((id) => claiming(id, 'again', old)));
    expect(results.filter((result) => result.kind === 'appended')).toHaveLength(1);
    expect(heirs).toContain(await world.log.find('again'));
  });

  test('one held key of several: none is taken', async () => {
    const owner = world.newId();
    await claiming(owner, 'taken');
    const result = await world.log.append({
      id: world.newId(),
      expected: 0,
      events: [trouble('both')],
      head: '',
      claim: [
        { key: 'free', from: null },
        { key: 'taken', from: null },
      ],
    });
    expect(result).toEqual({ kind: 'held', by: owner, key: 'taken' });
    expect(await world.log.find('free')).toBeUndefined();
  });

  test('an incident may claim again what it holds', async () => {
    const id = world.newId();
    await claiming(id, 'mine');
    const { head } = (await world.log.load(id)) ?? { head: '' };
    const claim = [{ key: 'mine', from: null }];
    const again = await world.log.append({ id, expected: 1, events: [trouble('again')], head, claim });
    expect(again.kind).toBe('appended');
  });
});

describe('budget', () => {
  const spend = (name: string) =>
    world.log.append({
      id: world.newId(),
      expected: 0,
      events: [trouble('spends')],
      head: '',
      budgets: [{ name, limit: 3, windowMs: 60_000 }],
    });

  test('of 20 at once as many go through as it allows, and the others write nothing', async () => {
    const listed = (await world.log.list(1000)).length;
    const results = await Promise.all(Array.from({ length: 20 }, () => spend('burst')));
    expect(results.filter((result) => result.kind === 'appended')).toHaveLength(3);
    expect(results.filter((result) => result.kind === 'over-budget')).toHaveLength(17);
    expect((await world.log.list(1000)).length).toBe(listed + 3);
  });

  test('the window slides: what was spent longer ago than the window is free again', async () => {
    for (const step of [0, 10_000, 10_000]) {
      world.clock.at += step;
      expect((await spend('sliding')).kind).toBe('appended');
    }
    world.clock.at += 39_999;
    expect((await spend('sliding')).kind).toBe('over-budget');
    world.clock.at += 1;
    expect((await spend('sliding')).kind).toBe('appended');
    expect((await spend('sliding')).kind).toBe('over-budget');
    expect(await raw((r) => r.zcard(world.space.budget('sliding')))).toBe(3);
  });
});

describe('several budgets', () => {
  const spend = (member: string, limits: [number, number]) =>
    world.log.append({
      id: world.newId(),
      expected: 0,
      events: [trouble('spends')],
      head: '',
      budgets: [
        { name: 'overall', limit: limits[0], windowMs: 60_000 },
        { name: 'victims', limit: limits[1], windowMs: 60_000, member },
      ],
    });

  test('all must allow it, the one that does not is named, and nothing is taken from the others', async () => {
    for (const member of ['a', 'b', 'a', 'a']) expect((await spend(member, [9, 2])).kind).toBe('appended');
    expect(await spend('c', [9, 2])).toEqual({ kind: 'over-budget', budget: 'victims' });
    expect(await raw((r) => r.zcard(world.space.budget('overall')))).toBe(4);
    expect(await spend('a', [4, 2])).toEqual({ kind: 'over-budget', budget: 'overall' });
    world.clock.at += 60_001;
    expect((await spend('c', [4, 2])).kind).toBe('appended');
  });
});

describe('what is listed and swept', () => {
  test('the newest incident comes first, however lively the older one is', async () => {
    const [older, newer] = [world.newId(), world.newId()];
    const head = await world.open(older);
    world.clock.at += 1000;
    await world.open(newer);
    world.clock.at += 1000;
    await world.log.append({ id: older, expected: 1, events: [trouble('more')], head });
    expect(await world.log.list(2)).toEqual([newer, older]);
    expect(await world.log.list(1)).toEqual([newer]);
  });

  test('settled means: nothing was appended or shown since', async () => {
    const id = world.newId();
    const head = await world.open(id);
    const swept = async () => (await world.log.toSweep()).includes(id);
    await world.log.advance('slack', id, 1);
    await world.log.settle(id, 1, {});
    expect(await swept()).toBe(true);
    await world.log.settle(id, 1, { slack: 0 });
    expect(await swept()).toBe(true);
    await world.log.settle(id, 2, { slack: 1 });
    expect(await swept()).toBe(true);
    await world.log.settle(id, 1, { slack: 1 });
    expect(await swept()).toBe(false);
    await world.log.append({ id, expected: 1, events: [trouble('news')], head });
    await world.log.settle(id, 1, { slack: 1 });
    expect(await swept()).toBe(true);
  });

  test('an append that races with settling leaves the incident to be swept', async () => {
    const ids = Array.from({ length: 30 }, () => world.newId());
    const heads = await Promise.all(ids.map((id) => world.open(id)));
    await Promise.all(
      ids.flatMap((id, i) => [
        world.log.settle(id, 1, {}),
        world.log.append({ id, expected: 1, events: [trouble('race')], head: heads[i] ?? '' }),
        world.log.settle(id, 1, {}),
      ]),
    );
    expect(await world.log.toSweep()).toEqual(expect.arrayContaining(ids));
  });

  test('a cursor never goes back, in whatever order the reports end', async () => {
    const id = world.newId();
    await world.open(id, 12);
    await Promise.all([3, 12, 7, 1, 9, 2].map((version) => world.log.advance('slack', id, version)));
    expect(await world.log.advance('slack', id, 4)).toBe(12);
    expect(await world.log.advance('slack', id, 13)).toBe(13);
    await world.log.advance('file', id, 2);
    expect((await world.log.load(id))?.cursors).toEqual({ slack: 13, file: 2 });
  });
});

describe('a damaged log', () => {
  const edit = (entry: string) => entry.replace('event 2', 'event X');
  test.each<[string, number, (entries: string[]) => string[]]>([
    ['an edited event', 2, (all) => all.map(edit)],
    [
      'an edited event with another MAC',
      2,
      (all) => all.map((one, i) => (i === 1 ? `${'0'.repeat(64)} ${edit(one).slice(65)}` : one)),
    ],
    ['two events in another order', 2, ([a, b, c, d]) => [a, c, b, d] as string[]],
    ['an event removed in the middle', 3, (all) => all.filter((_, i) => i !== 2)],
    ['the first event removed', 1, (all) => all.slice(1)],
    ['an event twice', 3, ([a, b, ...rest]) => [a, b, b, ...rest] as string[]],
    ['something that is no entry', 5, (all) => [...all, 'x']],
  ])('%s is refused by name and number', async (_, entry, tamper) => {
    const id = world.newId();
    await world.open(id, 4);
    const entries = tamper(await rawLog(id));
    await raw((r) =>
      r
        .multi()
        .del(world.space.log(id))
        .rpush(world.space.log(id), ...entries)
        .exec(),
    );
    await expect(world.log.load(id)).rejects.toMatchObject({
      code: 'log-damaged',
      message: expect.stringMatching(new RegExp(`incident ${id} .*entry ${entry}:.*audit verify ${id}`)),
    });
  });

  test('an event of another incident does not fit', async () => {
    const [mine, other] = [world.newId(), world.newId()];
    await world.open(mine);
    await world.open(other);
    const [entry = ''] = await rawLog(other);
    await raw((r) => r.lset(world.space.log(mine), 0, entry));
    await expect(world.log.load(mine)).rejects.toMatchObject({ code: 'log-damaged' });
  });

  test('so does a log that was written with another key', async () => {
    const id = world.newId();
    await world.open(id);
    const stranger = createIncidentLog({
      ...world,
      keys: deriveKeys(new Secret(Buffer.alloc(32, 1).toString('base64'))),
    });
    await expect(stranger.load(id)).rejects.toMatchObject({ code: 'log-damaged' });
  });
});

test('an incident that does not exist is undefined', async () => {
  expect(await world.log.load('inc-none')).toBeUndefined();
});

describe('what follows what is known', () => {
  const texts = (loaded: Awaited<ReturnType<typeof world.log.loadAfter>>) =>
    loaded?.events.map((event) => ('message' in event ? event.message : event.type));

  async function known() {
    const id = world.newId();
    const head = await world.open(id);
    const events = [trouble('a'), trouble('b')];
    const result = await world.log.append({ id, expected: 1, events, head });
    if (result.kind !== 'appended') throw new Error(result.kind);
    return { id, first: head, head: result.head };
  }

  test('is that alone, with the cursors and the number of repeats of now', async () => {
    const { id, first, head } = await known();
    await world.log.advance('slack', id, 2);
    const later = await world.log.loadAfter(id, 1, first);
    expect(texts(later)).toEqual(['a', 'b']);
    expect(later).toMatchObject({ head, cursors: { slack: 2 }, repeats: 0 });
    expect(await world.log.loadAfter(id, 3, head)).toMatchObject({ events: [], head, cursors: { slack: 2 } });
  });

  test('is nothing where what is known is not in the log any more', async () => {
    const { id, first, head } = await known();
    expect(await world.log.loadAfter(world.newId(), 1, first)).toBeUndefined();
    expect(await world.log.loadAfter(id, 1, head)).toBeUndefined();
    await raw((r) => r.ltrim(world.space.log(id), 0, 0));
    expect(await world.log.loadAfter(id, 3, head)).toBeUndefined();
  });

  test('is verified, and named by its place in the whole log', async () => {
    const { id, first } = await known();
    const [, , last = ''] = await rawLog(id);
    await raw((r) => r.lset(world.space.log(id), 2, last.replace('"b"', '"c"')));
    await expect(world.log.loadAfter(id, 1, first)).rejects.toMatchObject({
      code: 'log-damaged',
      message: expect.stringContaining('at entry 3'),
    });
  });
});

describe('a finding that is heard again', () => {
  const claimed = async (key: string) => {
    const id = world.newId();
    const claim = [{ key, from: null }];
    const result = await world.log.append({ id, expected: 0, events: [trouble('a')], head: '', claim });
    if (result.kind !== 'appended') throw new Error(result.kind);
    return { id, head: result.head };
  };
  const numberOf = async (id: string) => (await world.log.load(id))?.repeats;

  test('is recognised, and counted only once somebody has said that this may be', async () => {
    expect(await world.log.recognise('r:1', 'said')).toBeUndefined();
    const { id } = await claimed('r:1');
    expect(await world.log.recognise('r:1', 'said')).toEqual({ by: id, counted: false });
    expect(await numberOf(id)).toBe(0);
    await world.log.quiet(id, 1, 'said', 60_000);
    expect(await world.log.recognise('r:1', 'said')).toEqual({ by: id, counted: true });
    expect(await world.log.recognise('r:1', 'other')).toEqual({ by: id, counted: false });
    expect(await numberOf(id)).toBe(2);
  });

  test('is looked at anew after whatever is appended, and its number stays until it is written down', async () => {
    const { id, head } = await claimed('r:2');
    await world.log.quiet(id, 1, 'said', 60_000);
    const next = await world.log.append({ id, expected: 1, events: [trouble('b')], head });
    expect(await world.log.recognise('r:2', 'said')).toEqual({ by: id, counted: false });
    expect(await numberOf(id)).toBe(1);
    if (next.kind !== 'appended') throw new Error(next.kind);
    await world.log.append({ id, expected: 2, events: [trouble('c')], head: next.head, repeats: 1 });
    expect(await numberOf(id)).toBe(0);
  });

  test('is not only counted for what was decided before the last append, but is counted', async () => {
    const { id, head } = await claimed('r:3');
    await world.log.append({ id, expected: 1, events: [trouble('b')], head });
    await world.log.quiet(id, 1, 'said', 60_000);
    expect(await world.log.recognise('r:3', 'said')).toEqual({ by: id, counted: false });
    expect(await numberOf(id)).toBe(1);
  });

  test('is looked at anew when its time is over, which nothing else makes longer', async () => {
    const { id } = await claimed('r:4');
    await world.log.quiet(id, 1, 'first', 60_000);
    await world.log.quiet(id, 1, 'second', 3_600_000);
    const left = await raw((r) => r.pttl(world.space.heard(id)));
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(60_000);
  });
});
