// All incidents beside the ledger: whatever whoever has Redis does to them is found, with what was noted elsewhere, and named.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type SandboxRedis, startRedis } from '../../../sandbox/redis.ts';
import { MAC_LENGTH, macOf } from '../../../src/adapters/redis/chain.ts';
import { LEDGER_ID } from '../../../src/adapters/redis/ledger.ts';
import { runAudit } from '../../../src/cli/audit/audit.ts';
import { logPublisher } from '../../../src/compose/books.ts';
import { bookkeeper } from '../../../src/engine/keep/books.ts';
import { purge } from '../../../src/engine/keep/purge.ts';
import { createLog } from '../../../src/log.ts';
import { closedAs, DAY, killed, openBooks } from '../../books.ts';
import { reported } from '../../builders.ts';

let redis: SandboxRedis;
let books: ReturnType<typeof openBooks>;
let directory: string;
/** What the bot wrote to its log. */
let output: string;
let turn: () => Promise<void>;
let worlds = 0;
beforeAll(async () => {
  redis = await startRedis();
  directory = mkdtempSync(join(tmpdir(), 'tourniquet-anchors-'));
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await redis.close();
});
beforeEach(async () => {
  books = openBooks({ url: redis.url, prefix: `${redis.prefix}-${++worlds}` });
  output = '';
  const write = (line: string): void => {
    output += line;
  };
  const log = createLog({ level: 'info', destination: { write } });
  const options = {
    anchorEvery: DAY,
    publishers: [logPublisher(log)],
    stopping: new AbortController().signal,
  };
  turn = bookkeeper({ ...books, logger: log }, options);
  // Three incidents: one that goes on, one that is over, one that is old.
  await books.write('old', killed());
  books.clock.at += 30 * DAY;
  await books.write('over', [reported(), closedAs('declined')]);
  await books.write('open', [reported()]);
  await turn();
  books.clock.at += DAY;
  const { head } = (await books.log.load('open')) ?? { head: '' };
  await books.write('open', [reported()], { version: 1, head });
  await turn();
});
afterEach(() => books.close());

async function audit(...argv: string[]) {
  let out = '';
  const code = await runAudit(argv, {
    trail: () => books.log,
    key: books.key,
    purge: (options) => purge(books, options),
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (out += text) },
  });
  return { code, out };
}

const entriesOf = (id: string) => books.raw((r) => r.lrange(books.space.log(id), 0, -1));
async function put(id: string, entries: string[]): Promise<void> {
  const key = books.space.log(id);
  await books.raw((r) => r.del(key));
  if (entries.length > 0) await books.raw((r) => r.rpush(key, ...entries));
}
async function file(text: string): Promise<string> {
  const path = join(directory, 'anchors.jsonl');
  writeFileSync(path, text);
  return path;
}
const latestHash = async () => (await entriesOf(LEDGER_ID)).at(-1)?.slice(0, MAC_LENGTH) ?? '';
/** As somebody can who holds the key of another installation, or none. */
const forge = (text: string, before: string) =>
  `${macOf(Buffer.alloc(32, 7), before, LEDGER_ID, text)} ${text}`;

it('what nobody touched is intact, by itself, by a hash from the channel and by the collected log', async () => {
  const alone = await audit('verify', '--all');
  expect(alone).toEqual({ code: 0, out: expect.stringContaining('3 incidents are as they were written') });
  expect(alone.out).toMatch(/cannot be seen without an anchor noted elsewhere/);
  const hash = await latestHash();
  const byHash = await audit('verify', '--all', '--anchor', hash.slice(0, 16).toUpperCase());
  expect([byHash.code, byHash.out]).toEqual([0, expect.stringContaining('is entry 2 of the ledger')]);
  const noise = `not JSON\n${output}{"event":"other"}\n`;
  const byFile = await audit('verify', '--all', '--anchor', await file(noise));
  expect([byFile.code, byFile.out]).toEqual([0, expect.stringContaining('All 2 entries in')]);
  // Incidents go on after an anchor.
  const { head } = (await books.log.load('open')) ?? { head: '' };
  await books.write('open', [closedAs('declined')], { version: 2, head });
  await books.write('newer', [reported()]);
  expect((await audit('verify', '--all', '--anchor', hash)).code).toBe(0);
});

describe('is found and named:', () => {
  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'an incident that was removed as a whole, from the list too',
      async () => {
        await books.raw((r) => r.del(books.space.log('over'), books.space.cursors('over')));
        await books.raw((r) => r.zrem(books.space.incidents, 'over'));
      },
      /Incident over was removed as a whole: anchor 1 of .* had it with 2 entries, and no stub/,
    ],
    [
      'one that was cut off, cursors and all',
      async () => {
        await put('over', (await entriesOf('over')).slice(0, 1));
        await books.raw((r) => r.del(books.space.cursors('over')));
      },
      /Incident over: anchor 1 of .* had it with 2 entries .* has only 1 now: its end was cut off/,
    ],
    [
      'one that was replaced by an honest one of another time',
      async () => {
        await put('over', []);
        await books.write('over', [reported(), closedAs('false-alarm')]);
      },
      /Incident over: anchor 1 .* now that entry is another: the log was replaced/,
    ],
    [
      'one that was edited',
      async () =>
        put(
          'over',
          (await entriesOf('over')).map((one) => one.replace('declined', 'resolved')),
        ),
      /Incident over: entry 2 of 2 was changed/,
    ],
    [
      'one that was kept out of the anchors',
      async () => {
        books.clock.at -= DAY / 2;
        await books.write('hidden', [reported()]);
        books.clock.at += DAY / 2;
      },
      /Incident hidden was opened on .*, but anchor 2 of .* does not have it/,
    ],
    [
      'an anchor that was edited',
      async () => {
        const entries = await entriesOf(LEDGER_ID);
        await put(LEDGER_ID, [(entries[0] ?? '').replace('"over"', '"ever"'), ...entries.slice(1)]);
      },
      /The ledger: entry 1 of 2 was changed, moved or invented/,
    ],
    [
      'a stub that was forged to explain a removed incident',
      async () => {
        const entries = await entriesOf(LEDGER_ID);
        const stub = { v: 3, at: '2023-11-14T22:13:20.000Z', type: 'purged', incident: 'over', entries: 2 };
        await put(LEDGER_ID, [...entries, forge(JSON.stringify(stub), await latestHash())]);
        await put('over', []);
      },
      /entry 3 of 3 was changed, moved or invented[\s\S]*Incident over was removed as a whole/,
    ],
    [
      'a ledger that was cut off after it was published',
      async () => put(LEDGER_ID, (await entriesOf(LEDGER_ID)).slice(0, 1)),
      /The ledger has 1 entries, but 2 were published/,
    ],
  ])('%s', async (_, tamper, said) => {
    await tamper();
    const { code, out } = await audit('verify', '--all');
    expect([code, out]).toEqual([1, expect.stringMatching(said)]);
  });
});

describe('with an anchor noted elsewhere is found:', () => {
  /** All that a thief of Redis can do: an incident, and everything that ever spoke of it. */
  async function wipe(): Promise<void> {
    await books.raw((r) =>
      r.del(books.space.log('over'), books.space.cursors('over'), books.space.cursors(LEDGER_ID)),
    );
    await books.raw((r) => r.zrem(books.space.incidents, 'over'));
    await put(LEDGER_ID, []);
  }

  it('an incident that was removed with the whole ledger, even where the ledger was begun anew', async () => {
    const hash = await latestHash();
    const lines = output;
    await wipe();
    expect((await audit('verify', '--all')).code).toBe(0);
    books.clock.at += DAY;
    await turn();
    expect((await audit('verify', '--all')).code).toBe(0);
    const byHash = await audit('verify', '--all', '--anchor', hash);
    expect(byHash).toEqual({ code: 1, out: expect.stringContaining('is not in the ledger: it was cut off') });
    const byFile = await audit('verify', '--all', '--anchor', await file(lines));
    expect(byFile.code).toBe(1);
    expect(byFile.out).toMatch(/2 of 2 entries in .* are not in the ledger, the first of them entry 1/);
    expect(byFile.out).toMatch(/Incident over was removed as a whole: anchor 1/);
  });

  it('a file of anchors that was edited itself', async () => {
    const edited = await file(output.replaceAll('"over"', '"ever"'));
    const { code, out } = await audit('verify', '--all', '--anchor', edited);
    expect([code, out]).toEqual([1, expect.stringMatching(/entry 1 is not as it was written/)]);
  });
});

describe('after a purge', () => {
  const cutoff = () => new Date(books.clock.at - 10 * DAY).toISOString();

  it('a dry run names what would go; then it goes, and everything still verifies', async () => {
    const { out: exported } = await audit('export', 'old');
    const { head } = (await books.log.load('old')) ?? { head: '' };
    const dry = await audit('purge', '--before', cutoff(), '--dry-run');
    expect(dry.out).toMatch(
      /would be purged: old, closed .* as resolved, \d+ entries\n1 would be purged, 0 kept/,
    );
    expect((await audit('purge', '--before', cutoff())).out).toMatch(/^purged: old.*\n1 purged, 0 kept/);
    const one = await audit('verify', 'old');
    expect(one.code).toBe(0);
    expect(one.out).toMatch(/old was purged on .* by audit purge --before .* Its stub is intact \(entry 3/);
    expect(one.out).toContain(`Head: ${head}`);
    expect((await audit('verify', 'old', '--head', head.slice(0, 12))).code).toBe(0);
    expect((await audit('verify', 'old', '--head', 'f'.repeat(12))).code).toBe(1);
    expect((await audit('verify', '--file', await file(exported), '--head', head)).code).toBe(0);
    expect(await audit('report', 'old')).toEqual({ code: 2, out: expect.stringContaining('old was purged') });
    const all = await audit('verify', '--all', '--anchor', await file(output));
    expect(all.code).toBe(0);
    expect(all.out).toContain(
      '2 incidents are as they were written, and as every anchor had them. 1 were purged',
    );
    await books.write('old', [reported()]);
    expect((await audit('verify', '--all')).out).toMatch(
      /Incident old was purged .* a log of it is there again/,
    );
  });

  it('what may not go is named with the reason', async () => {
    const { code, out } = await audit('purge', '--before', new Date(books.clock.at).toISOString());
    expect(code).toBe(0);
    expect(out).toContain('kept: open, because it is open');
  });
});

it.each<[string, string[], RegExp]>([
  ['a date that is none', ['purge', '--before', 'yesterday'], /write a date in the past/],
  ['a date to come', ['purge', '--before', '2999-01-01'], /write a date in the past/],
  ['a purge without a date', ['purge'], /Usage:/],
  [
    'an anchor that is neither',
    ['verify', '--all', '--anchor', 'here.jsonl'],
    /neither a file nor the first 8/,
  ],
  ['an incident and all', ['verify', 'old', '--all'], /Usage:/],
])('%s is refused with what to do', async (_, argv, said) => {
  const { code, out } = await audit(...argv);
  expect([code, out]).toEqual([2, expect.stringMatching(said)]);
});

it('a file without an anchor is refused with what to do', async () => {
  const { code, out } = await audit('verify', '--all', '--anchor', await file('{"level":"info"}\n'));
  expect([code, out]).toEqual([2, expect.stringContaining('holds no anchor')]);
});
