// Anchors and purges on a real Redis: everything is covered, twins do it once, and a purge takes all of an incident and leaves its stub.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type SandboxRedis, startRedis } from '../../../sandbox/redis.ts';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import type { Chained } from '../../../src/engine/ground/ledger.ts';
import { openSession } from '../../../src/engine/ground/session.ts';
import { anchorDaily, anchorReporter, type Publisher } from '../../../src/engine/keep/anchors.ts';
import { bookkeeper } from '../../../src/engine/keep/books.ts';
import { purge } from '../../../src/engine/keep/purge.ts';
import { AppError } from '../../../src/errors.ts';
import { closedAs, DAY, killed, openBooks } from '../../books.ts';
import { reported, waiting } from '../../builders.ts';

let redis: SandboxRedis;
let books: ReturnType<typeof openBooks>;
let worlds = 0;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.close());
beforeEach(() => {
  books = openBooks({ url: redis.url, prefix: `${redis.prefix}-${++worlds}` });
});
afterEach(() => books.close());

const logger = { info() {}, warn() {}, error() {} };
const HOUR = 3_600_000;

/** A bot: its own memory, the shared Redis. */
function bot(publishers: Publisher[] = [], keepFor?: number) {
  const stopping = new AbortController().signal;
  return bookkeeper({ ...books, logger }, { anchorEvery: DAY, keepFor, publishers, stopping });
}

function collector(name: string, fail: () => AppError | undefined = () => undefined) {
  const entries: Chained[] = [];
  const publisher: Publisher = {
    name,
    async publish(given) {
      const error = fail();
      if (error) throw error;
      entries.push(...given);
    },
  };
  return { entries, publisher };
}

/** The ledger, and what is asked of it. */
function noting() {
  const asked: string[] = [];
  const ledger = new Proxy(books.ledger, {
    get(target, name, receiver) {
      asked.push(String(name));
      return Reflect.get(target, name, receiver);
    },
  });
  return { ledger, asked };
}

const anchors = async () =>
  (await books.ledger.since(0)).map(({ entry }) => (entry.type === 'anchor' ? entry : undefined));

describe('anchors', () => {
  it('name what changed since the one before, once a day, and not where nothing did', async () => {
    const turn = bot();
    const first = await books.write('a', [reported()]);
    await turn();
    expect(await anchors()).toMatchObject([{ v: 1, why: 'daily', heads: [['a', 1, first]] }]);
    const second = await books.write('a', [closedAs('declined')], { version: 1, head: first });
    const other = await books.write('b', [reported()]);
    books.clock.at += DAY - 1;
    await turn();
    expect(await anchors()).toHaveLength(1);
    books.clock.at += 1;
    await turn();
    const [, entry] = await anchors();
    expect(entry?.heads.toSorted()).toEqual([
      ['a', 2, second],
      ['b', 1, other],
    ]);
    books.clock.at += 3 * DAY;
    await turn();
    expect(await anchors()).toHaveLength(2);
  });

  it('are taken at the end of an incident, like a report, and again where that was interrupted', async () => {
    const reporter = anchorReporter(books);
    await books.write('a', [reported()]);
    const session = async () => (await openSession(books, 'a')) ?? expect.unreachable();
    const report = async (cursor: number) => {
      const { incident, events, head } = await session();
      return await reporter.report(incident, events, cursor, head);
    };
    expect(await report(0)).toBe(1);
    expect(await anchors()).toEqual([]);
    const { head } = await session();
    const end = await books.write('a', [closedAs('declined')], { version: 1, head });
    expect(await report(1)).toBe(2);
    expect(await report(1)).toBe(2);
    expect(await anchors()).toMatchObject([{ why: 'closed', heads: [['a', 2, end]] }]);
  });

  it('of many incidents are several short entries, all of them in the end', async () => {
    const ids = Array.from({ length: 250 }, (_, i) => `many-${i}`);
    await Promise.all(ids.map((id) => books.write(id, [reported()])));
    await bot()();
    const heads = (await anchors()).map((entry) => entry?.heads.length);
    expect(heads).toEqual([100, 100, 50]);
    expect((await books.ledger.read()).known.heads.size).toBe(250);
  });

  it('of many incidents look at each and at the ledger once or twice, however many entries they become', async () => {
    const ids = Array.from({ length: 500 }, (_, i) => `many-${i}`);
    await Promise.all(ids.map((id) => books.write(id, [reported()])));
    const { ledger, asked } = noting();
    await anchorDaily({ ...books, ledger }, DAY);
    expect(await anchors()).toHaveLength(5);
    expect(asked.filter((name) => name === 'heads')).toHaveLength(1);
    expect(asked.filter((name) => name === 'read').length).toBeLessThanOrEqual(2);
  });

  it('at the end of an incident look at what changed and at nothing else', async () => {
    await Promise.all(['a', 'b', 'c'].map((id) => books.write(id, [reported()])));
    await bot()();
    const { head } = (await books.log.load('b')) ?? { head: '' };
    const end = await books.write('b', [closedAs('declined')], { version: 1, head });
    const { ledger, asked } = noting();
    const session = (await openSession(books, 'b')) ?? expect.unreachable();
    await anchorReporter({ ...books, ledger }).report(session.incident, session.events, 1, end);
    expect((await anchors()).at(-1)).toMatchObject({ why: 'closed', heads: [['b', 2, end]] });
    expect(asked.toSorted()).toEqual(['anchor', 'changed', 'end']);
    expect(await books.raw((r) => r.scard(books.space.unanchored))).toBe(0);
  });

  it('of what is appended to while it is anchored are taken again', async () => {
    const first = await books.write('a', [reported()]);
    const { ledger } = books;
    const racing = {
      ...ledger,
      async anchor(...given: Parameters<typeof ledger.anchor>) {
        if ((await books.log.versions(['a']))[0] === 1)
          await books.write('a', [closedAs('declined')], { version: 1, head: first });
        return await ledger.anchor(...given);
      },
    };
    await anchorDaily({ ...books, ledger: racing }, DAY);
    expect((await ledger.changed()).map(([id, version]) => [id, version])).toEqual([['a', 2]]);
  });

  it('at the end of an incident are not written to a ledger whose end is damaged', async () => {
    await books.write('a', [reported()]);
    await bot()();
    await books.raw((r) => r.lset(books.space.log('@ledger'), 0, `${'0'.repeat(64)} {"v":1}`));
    await books.write('b', [reported(), closedAs('declined')]);
    const session = (await openSession(books, 'b')) ?? expect.unreachable();
    const report = anchorReporter(books).report(session.incident, session.events, 0, session.head);
    await expect(report).rejects.toMatchObject({ code: 'log-damaged' });
  });

  it('two bots take and publish each once', async () => {
    await books.write('a', [reported()]);
    const { entries, publisher } = collector('somewhere');
    const turns = Array.from({ length: 6 }, () => bot([publisher]));
    for (let round = 0; round < 3; round++) {
      await Promise.all(turns.map((turn) => turn()));
      books.clock.at += DAY;
      await books.write(`more-${round}`, [reported()]);
    }
    expect(entries.map(({ entry }) => entry.v)).toEqual([1, 2, 3]);
  });

  it('a place that is down gets later what it missed, and the others do not wait for it', async () => {
    let down = true;
    const broken = collector('down', () =>
      down ? new AppError('unreachable', 'It is down.', { retry: true }) : undefined,
    );
    const fine = collector('fine');
    await books.write('a', [reported()]);
    const turn = bot([broken.publisher, fine.publisher]);
    await turn();
    expect([broken.entries.length, fine.entries.length]).toEqual([0, 1]);
    down = false;
    books.clock.at += HOUR;
    await turn();
    expect(broken.entries).toEqual(fine.entries);
  });

  it('name what is gone or cut off, every day, and never take that for the truth', async () => {
    const turn = bot();
    for (const id of ['gone', 'cut', 'fine']) await books.write(id, [reported(), closedAs('declined')]);
    await turn();
    await books.raw((r) => r.del(books.space.log('gone')));
    await books.raw((r) => r.rpop(books.space.log('cut')));
    for (const _ of [1, 2]) {
      books.clock.at += DAY;
      await turn();
      expect((await anchors()).at(-1)?.lost?.toSorted()).toEqual(['cut', 'gone']);
    }
  });

  it('a damaged ledger is written to by nobody', async () => {
    await books.write('a', [reported()]);
    await bot()();
    await books.raw((r) => r.lset(books.space.log('@ledger'), 0, `${'0'.repeat(64)} {"v":1}`));
    books.clock.at += DAY;
    await expect(bot()()).rejects.toMatchObject({ code: 'log-damaged' });
    expect(await books.raw((r) => r.llen(books.space.log('@ledger')))).toBe(1);
  });
});

it('the ledger is no incident, whoever asks for it by its name', async () => {
  await books.write('a', [reported()]);
  await bot()();
  expect(await books.log.load('@ledger')).toBeUndefined();
  expect(await openSession(books, '@ledger')).toBeUndefined();
});

describe('a purge', () => {
  const cutoff = () => books.clock.at - 10 * DAY;
  const run = (more: object = {}) => purge(books, { before: cutoff(), by: 'a test', ...more });

  it('takes everything of an incident, whatever else points at it, and leaves a stub', async () => {
    const alert: EventBody = {
      type: 'alert-received',
      alert: { source: 'gitguardian', externalId: '7', subject: { kind: 'token' } },
      fingerprint: 'f1',
    };
    const { Secret } = await import('../../../src/secret.ts');
    const claim = [
      { key: 'token:f1', from: null },
      { key: 'ext:gitguardian:7', from: null },
    ];
    const events = [alert, ...waiting().slice(1), closedAs('false-alarm')];
    const forgotten: EventBody = { type: 'token-forgotten', reason: 'r' };
    const seal = { token: new Secret('sealed'), ttlMs: 100 * DAY };
    const all = [...events, forgotten];
    const result = await books.log.append({ id: 'old', expected: 0, head: '', events: all, claim, seal });
    await books.show('old', all.length);
    await books.raw((r) => r.set(books.space.card('old'), '{}'));
    await books.raw((r) => r.zadd(books.space.openings, 1, 'old'));
    await books.raw((r) => r.hset(books.space.burstOf, 'old', 'old'));
    await books.raw((r) => r.zadd(books.space.burst('old'), 1, 'old'));
    const head = result.kind === 'appended' ? result.head : '';
    books.clock.at += 20 * DAY;
    await books.write('new', [reported(), closedAs('declined')]);
    // A key that another incident has taken over since stays with it.
    await books.raw((r) => r.set(books.space.claim('ext:gitguardian:7'), 'new'));
    await books.log.quiet('old', all.length, 'said', 30 * DAY);
    expect(await books.keys()).toEqual(expect.arrayContaining(['heard:old', 'repeats:old']));
    const { purged, kept } = await run();
    const stub = {
      type: 'purged',
      incident: 'old',
      entries: all.length,
      head,
      openedAt: new Date(books.clock.at - 20 * DAY).toISOString(),
      closedAt: new Date(books.clock.at - 20 * DAY).toISOString(),
      as: 'false-alarm',
      by: 'a test',
    };
    expect({ purged, kept }).toEqual({ purged: [stub], kept: [] });
    expect((await books.keys()).filter((key) => /old|token|openings|burst/.test(key))).toEqual([]);
    expect(await books.log.find('ext:gitguardian:7')).toBe('new');
    expect(await books.log.list(9)).toEqual(['new']);
    expect(await books.log.toSweep()).toEqual(['new']);
    expect((await books.ledger.since(0)).map(({ entry }) => entry)).toMatchObject([stub]);
    // Purged is not lost.
    await bot()();
    expect((await anchors()).at(-1)).not.toHaveProperty('lost');
  });

  it('of a dry run only says what it would take', async () => {
    await books.write('old', killed());
    books.clock.at += 20 * DAY;
    const keys = await books.keys();
    expect((await run({ dryRun: true })).purged).toMatchObject([{ incident: 'old' }]);
    expect(await books.keys()).toEqual(keys);
  });

  it('that was cut short goes on where it stopped, and twins purge each incident once', async () => {
    const ids = Array.from({ length: 12 }, (_, i) => `old-${i}`);
    await Promise.all(ids.map((id) => books.write(id, killed())));
    books.clock.at += 20 * DAY;
    const stop = new AbortController();
    const { ledger } = books;
    const dying = {
      ...ledger,
      async purge(...given: Parameters<typeof ledger.purge>) {
        const done = await ledger.purge(...given);
        if ((await ledger.since(0)).length >= 4) stop.abort();
        return done;
      },
    };
    await purge({ ...books, ledger: dying }, { before: cutoff(), by: 'a test', signal: stop.signal });
    expect(await books.log.list(99)).toHaveLength(8);
    const twins = await Promise.all([run(), run(), run()]);
    expect(twins.flatMap(({ purged }) => purged)).toHaveLength(8);
    const stubs = (await ledger.since(0)).map(({ entry }) => entry.type === 'purged' && entry.incident);
    expect(stubs.toSorted()).toEqual(ids.toSorted());
    expect((await books.keys()).filter((key) => key.includes('old'))).toEqual([]);
  });

  it('lets be what changed while it was looked at', async () => {
    const head = await books.write('old', killed());
    books.clock.at += 20 * DAY;
    const { ledger } = books;
    const raced = {
      ...ledger,
      async purge(...given: Parameters<typeof ledger.purge>) {
        await books.log.append({ id: 'old', expected: killed().length, head, events: [reported()] });
        return await ledger.purge(...given);
      },
    };
    const { purged, kept } = await purge({ ...books, ledger: raced }, { before: cutoff(), by: 'a test' });
    expect({ purged, kept }).toEqual({ purged: [], kept: [{ id: 'old', why: 'it is open' }] });
    expect((await books.log.load('old'))?.events).toHaveLength(killed().length + 1);
  });

  it('by the configuration happens by itself, and not for what is too young', async () => {
    await books.write('old', killed());
    books.clock.at += 400 * DAY;
    await books.write('young', killed());
    books.clock.at += 1000;
    await bot([], 400 * DAY)();
    expect(await books.log.list(9)).toEqual(['young']);
    expect((await books.ledger.since(0))[0]?.entry).toMatchObject({ by: 'retention.keepFor 400 d' });
    await bot()();
    expect(await books.log.list(9)).toEqual(['young']);
  });

  it('keeps a damaged log for whoever looks into it', async () => {
    await books.write('old', killed());
    await books.raw((r) => r.lset(books.space.log('old'), 0, 'x'));
    books.clock.at += 20 * DAY;
    expect(await run()).toEqual({ purged: [], kept: [{ id: 'old', why: 'its log is damaged' }] });
  });
});
