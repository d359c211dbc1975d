// The audit commands: every change to a log is found and named, and what cannot be found is said plainly.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type SandboxRedis, startRedis } from '../../../sandbox/redis.ts';
import { audit as auditCommand, runAudit } from '../../../src/cli/audit/audit.ts';
import { Secret } from '../../../src/secret.ts';
import { openWorld } from '../../adapters/redis/support.ts';
import { typed } from '../terminal.ts';

let redis: SandboxRedis;
let world: ReturnType<typeof openWorld>;
let directory: string;
let id: string;
let head: string;

beforeAll(async () => {
  redis = await startRedis();
  world = openWorld(redis);
  directory = mkdtempSync(join(tmpdir(), 'tourniquet-audit-'));
});

afterAll(async () => {
  rmSync(directory, { recursive: true });
  await world.close();
  await redis.close();
});

beforeEach(async () => {
  id = world.newId();
  head = await world.open(id, 4);
});

const nothingPurged = () => Promise.reject(new Error('nobody asked for a purge'));

async function audit(...argv: string[]) {
  let [out, err] = ['', ''];
  const code = await runAudit(argv, {
    trail: () => world.log,
    key: world.key,
    purge: nothingPurged,
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { code, out, err };
}

const entriesOf = () => world.store.run((r) => r.lrange(world.space.log(id), 0, -1));

async function store(entries: string[]): Promise<void> {
  const key = world.space.log(id);
  await world.store.run((r) =>
    r
      .multi()
      .del(key)
      .rpush(key, ...entries)
      .exec(),
  );
}

function file(text: string): string {
  const path = join(directory, 'export.jsonl');
  writeFileSync(path, text);
  return path;
}

describe('verify', () => {
  test('an untouched log is intact, and it says what cannot be seen without a head', async () => {
    const { code, out } = await audit('verify', id);
    expect(code).toBe(0);
    expect(out).toContain(`all 4 entries are as they were written. Head: ${head}`);
    expect(out).toMatch(/removed from the end cannot be seen without a head/);
  });

  test.each<[string, number, (all: string[]) => string[]]>([
    ['an edit', 3, (all) => all.map((one) => one.replace('event 3', 'event 9'))],
    ['another order', 2, ([a, b, c, d]) => [a, c, b, d] as string[]],
    ['a removal in the middle', 2, ([a, , c, d]) => [a, c, d] as string[]],
    ['a removal at the start', 1, ([, ...rest]) => rest as string[]],
  ])('%s is found', async (_, entry, tamper) => {
    await store(tamper(await entriesOf()));
    const { code, out } = await audit('verify', id);
    expect(code).toBe(1);
    expect(out).toContain(`Incident ${id}: entry ${entry} of`);
    if (entry > 1) expect(out).toContain(`Entries 1 to ${entry - 1} are as they were written.`);
  });

  test('a removal at the end is found with a head, and only with one', async () => {
    await store((await entriesOf()).slice(0, -1));
    expect((await audit('verify', id)).code).toBe(0);
    const { code, out } = await audit('verify', id, '--head', head.slice(0, 12));
    expect(code).toBe(1);
    expect(out).toContain('the end of the log was removed after that head was noted');
  });

  test('an older head still fits after the log has grown', async () => {
    const older = (await entriesOf())[1]?.slice(0, 8) ?? '';
    const { code, out } = await audit('verify', id, '--head', older.toUpperCase());
    expect(code).toBe(0);
    expect(out).toContain(`The head ${older} is that of entry 2`);
  });

  test('a log that is shorter than what was shown has lost its end', async () => {
    await world.log.advance('slack', id, 4);
    await store((await entriesOf()).slice(0, 2));
    const { code, out } = await audit('verify', id);
    expect(code).toBe(1);
    expect(out).toContain('has 2 entries, but 4 were shown');
  });

  test('a log that is gone altogether is damaged, not unknown', async () => {
    await world.store.run((r) => r.del(world.space.log(id)));
    const { code, out } = await audit('verify', id);
    expect(code).toBe(1);
    expect(out).toContain('its whole log is gone');
  });

  test('another key verifies nothing, and that is hinted at', async () => {
    let out = '';
    const key = new Secret(Buffer.alloc(32, 7).toString('base64'));
    const code = await runAudit(['verify', id], {
      trail: () => world.log,
      key,
      purge: nothingPurged,
      stdout: { write: (text) => (out += text) },
      stderr: process.stderr,
    });
    expect(code).toBe(1);
    expect(out).toContain('TOURNIQUET_KEY');
  });
});

describe('export', () => {
  test('one JSON object per line, which verifies without Redis', async () => {
    const { code, out } = await audit('export', id);
    expect(code).toBe(0);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(lines).toHaveLength(4);
    expect(lines[3]).toEqual({
      incident: id,
      mac: head,
      event: {
        v: 4,
        at: '2023-11-14T22:13:20.000Z',
        type: 'trouble',
        work: 'investigate',
        message: 'event 4',
      },
    });
    let said = '';
    const offline = await runAudit(['verify', '--file', file(out), '--head', head], {
      trail: () => {
        throw new Error('Redis was asked');
      },
      key: world.key,
      purge: nothingPurged,
      stdout: { write: (text) => (said += text) },
      stderr: process.stderr,
    });
    expect(offline).toBe(0);
    expect(said).toContain('all 4 entries');
  });

  test('so it does when a tool has written the lines anew', async () => {
    const { out } = await audit('export', id);
    const spaced = out
      .replace(/\{/g, '{ ')
      .replace(/:/g, ' : ')
      .replace(/(\d\d) : (\d\d) : /g, '$1:$2:');
    expect((await audit('verify', '--file', file(`${spaced}\n\n`))).code).toBe(0);
  });

  test.each<[string, (text: string) => string, RegExp]>([
    ['an edit', (text) => text.replace('event 2', 'event 8'), /entry 2 of 4/],
    ['a removed line', (text) => text.split('\n').toSpliced(1, 1).join('\n'), /entry 2 of 3/],
    ['two lines in another order', (text) => swapLines(text), /entry 1 of 4/],
    [
      'a line of another incident',
      (text) => text.replace(/^.*"event 3".*$/m, '{"incident":"inc-x","mac":"0","event":{}}'),
      /Line 3 is not a line/,
    ],
    ['no JSON', (text) => text.replace('{', ''), /Line 1 is not a line/],
    ['nothing', () => '', /Line 1 is not a line/],
  ])('%s in the file is found', async (_, tamper, said) => {
    const { out } = await audit('export', id);
    const verdict = await audit('verify', '--file', file(tamper(out)));
    expect(verdict.code).toBe(1);
    expect(verdict.out).toMatch(said);
  });

  test('the end of the file cut off is found with a head', async () => {
    const { out } = await audit('export', id);
    const cut = file(out.split('\n').slice(0, 3).join('\n'));
    expect((await audit('verify', '--file', cut)).code).toBe(0);
    expect((await audit('verify', '--file', cut, '--head', head)).code).toBe(1);
  });

  test('a damaged log can be taken away as it is, and stays damaged', async () => {
    await store((await entriesOf()).map((one, i) => (i === 1 ? one.slice(0, -3) : one)));
    const { code, out } = await audit('export', id);
    expect(code).toBe(0);
    expect((await audit('verify', '--file', file(out))).out).toMatch(/entry 2 of 4/);
  });
});

const swapLines = (text: string) => {
  const [a, b, ...rest] = text.split('\n');
  return [b, a, ...rest].join('\n');
};

test.each<[string, string[], RegExp]>([
  ['no words', [], /Usage:/],
  ['an unknown verb', ['burn', 'inc-1'], /Usage:/],
  ['verify without an incident', ['verify'], /Usage:/],
  ['an unknown option', ['verify', 'inc-1', '--heads', 'x'], /Usage:/],
  ['a head that is too short', ['verify', 'inc-1', '--head', 'abc'], /at least the first 8/],
  ['an incident that does not exist', ['verify', 'inc-none'], /There is no incident inc-none/],
  ['its export', ['export', 'inc-none'], /There is no incident inc-none/],
  [
    'a file that does not exist',
    ['verify', '--file', '/nonexistent.jsonl'],
    /Cannot read \/nonexistent\.jsonl/,
  ],
])('%s is refused with what to do', async (_, argv, said) => {
  const { code, out, err } = await audit(...argv);
  // Into a file goes an export or nothing.
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(said);
});

test.each([
  ['without an incident', ['verify'], /^Usage:/],
  ['with a date that is none', ['purge', '--before', 'yesterday'], /write a date in the past/],
  ['with a file that does not exist', ['verify', '--file', '/nonexistent.jsonl'], /Cannot read/],
])('a wrong call %s is told as such where there is no configuration either', async (_, argv, said) => {
  const told = await typed(auditCommand, argv);
  expect(told).toMatchObject({ code: 2, out: '', err: expect.stringMatching(said) });
});

describe('report', () => {
  test('of a log that verifies, with its head', async () => {
    const { code, out } = await audit('report', id);
    expect(code).toBe(0);
    expect(out).toContain(`# Incident ${id}`);
    expect(out).toContain(`--head ${head.slice(0, 16)}`);
  });

  test('of a damaged log there is none', async () => {
    const [first = '', ...rest] = await entriesOf();
    await store([`${first} `, ...rest]);
    expect(await audit('report', id)).toEqual({
      code: 2,
      out: '',
      err: expect.stringContaining('damaged at entry 1'),
    });
  });

  test('of what does not exist there is none', async () => {
    expect(await audit('report', 'nothing')).toEqual({
      code: 2,
      out: '',
      err: expect.stringContaining('no incident'),
    });
  });
});
