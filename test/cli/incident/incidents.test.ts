// `tourniquet incidents` and `status` over a real Redis: how incidents stand, whom they wait for, and waiting for the proof.
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { incidents } from '../../../src/cli/incident/incidents.ts';
import { runStatus, status } from '../../../src/cli/incident/status.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import { Secret } from '../../../src/secret.ts';
import { contained, reported, revoked, waiting } from '../../builders.ts';
import { legacyToken } from '../../domain/token/token-samples.ts';
import { type Intake, startIntake } from '../bot.ts';
import { documentedKeys, keyPaths } from '../documented.ts';
import { expectNoTrace, type Told, typed } from '../terminal.ts';

let bot: Intake;
beforeAll(async () => {
  bot = await startIntake();
  await write('aaaa000001', revoked());
  await write('bbbb000002', [...revoked(), { type: 'closed', as: 'resolved', reason: 'proven dead' }]);
  await write('cccc000003', waiting());
});
afterAll(() => bot?.close());

/** Appends to what is there. */
async function write(id: string, events: EventBody[]): Promise<void> {
  const loaded = await bot.deps.log.load(id);
  const { events: before = [], head = '' } = loaded ?? {};
  const result = await bot.deps.log.append({ id, expected: before.length, head, events });
  expect(result.kind).toBe('appended');
}

const run = (...argv: string[]): Promise<Told> => typed(incidents, argv, { env: bot.env });
const ask = (...argv: string[]): Promise<Told> => typed(status, argv, { env: bot.env });

describe('incidents', () => {
  it('are listed newest first, with how they stand and whom they wait for', async () => {
    const { code, out, err } = await run();
    expect([code, err]).toEqual([0, '']);
    const ids = [...out.matchAll(/^([a-f0-9]{10}) {2}\S/gm)].map(([, id]) => id);
    expect(ids.toSorted()).toEqual(['aaaa000001', 'bbbb000002', 'cccc000003']);
    expect(out).toMatch(/^cccc000003 {2}\w.* · payments\/api on prod\n.*waits for approval by .*approvers/m);
    expect(out).toMatch(/opened 0 min ago, legacy token/);
    expect(out).not.toMatch(/[^\x20-\x7e\n·…’“”]/);
  });

  it('are left out when they are closed, or more than wanted', async () => {
    const open = JSON.parse((await run('--open', '--json')).out);
    expect(open).toMatchObject({ version: 1, damaged: [] });
    expect(open.incidents.map(({ id }: { id: string }) => id).toSorted()).toEqual([
      'aaaa000001',
      'cccc000003',
    ]);
    expect(JSON.parse((await run('--limit', '1', '--json')).out).incidents).toHaveLength(1);
  });

  it('whose log was changed are named, and the others are listed all the same: exit code 1', async () => {
    await write('dddd000004', [reported()]);
    const redis = new Redis(bot.redis.url);
    await redis.lset(`${bot.redis.prefix}:log:dddd000004`, 0, `${'0'.repeat(64)} {}`);
    const told = await run();
    await redis.del(`${bot.redis.prefix}:log:dddd000004`);
    await redis.zrem(`${bot.redis.prefix}:incidents`, 'dddd000004');
    redis.disconnect();
    expect(told.code).toBe(1);
    expect(told.out).toContain(
      'dddd000004  The log of this incident is damaged. See: tourniquet audit verify dddd000004',
    );
    expect(told.out).toContain('cccc000003');
  });

  it.each([[['cccc']], [['--limit', '0']], [['--limit', 'all']], [['--all']]])('take no %j', async (argv) => {
    const told = await run(...argv);
    expect(told).toMatchObject({ code: 2, out: '' });
    expect(told.err).toContain('tourniquet incidents [--open]');
  });
});

describe('status', () => {
  it('tells the token, whom it waits for, the last evidence and what was done', async () => {
    const { code, out } = await ask('aaaa');
    expect(code).toBe(0);
    expect(out).toMatch(/^Incident aaaa000001: /);
    expect(out).toContain('Proven dead: yes\n- Last evidence, ');
    expect(out).toContain('by hand: `kubectl --context prod -n payments delete secret api-token');
    expect((await ask('cccc')).out).toMatch(/Waits for\n- approval by one of .*approvers/);
  });

  it('as JSON says the same', async () => {
    const answer = JSON.parse((await ask('cccc', '--json')).out);
    expect(keyPaths(answer)).toEqual(expect.arrayContaining(documentedKeys('status')));
    expect(answer).toMatchObject({
      version: 1,
      id: 'cccc000003',
      status: 'awaiting-approval',
      token: { kind: 'legacy', clusters: ['prod'], namespace: 'payments', serviceAccount: 'api' },
      waitsFor: expect.stringContaining('approvers'),
    });
  });

  it.each([
    ['ffff', /No incident begins with that\. See: tourniquet incidents/],
    ['', /No incident begins|Several incidents begin/],
  ])('of %j, which is no incident, is exit code 2', async (id, expected) => {
    const told = await ask(id);
    expect(told).toMatchObject({ code: 2, out: '' });
    expect(told.err).toMatch(expected);
  });

  it.each([[[]], [['a', 'b']], [['aaaa', '--timeout', '5m']], [['aaaa', '--wait', '--timeout', '5']]])(
    'takes no %j',
    async (argv) => {
      const told = await ask(...argv);
      expect(told).toMatchObject({ code: 2, out: '' });
      expect(told.err).toContain('tourniquet status <incident>');
    },
  );

  it('holds nothing of the token', async () => {
    const token = legacyToken();
    const { incidentId } = await bot.front.report({
      alert: { source: 'report', subject: { kind: 'token' }, where: { text: 'a gist' } },
      token: new Secret(token),
    });
    const told = await ask(incidentId);
    expect(told.out).toContain('found in a gist');
    const all = await run('--json');
    expectNoTrace({ out: told.out + all.out, err: told.err }, token);
  });
});

describe('status --wait', () => {
  /** A clock that moves when somebody waits, and does something then. */
  const whileWaiting = async (argv: string[], meanwhile: (turn: number) => Promise<void>): Promise<Told> => {
    let [now, turn] = [Date.now(), 0];
    const sleep = async (ms: number): Promise<void> => {
      now += ms;
      turn += 1;
      await meanwhile(turn);
    };
    const command = {
      ...status,
      run: (args: string[], terminal: Terminal) => runStatus(args, terminal, { sleep, now: () => now }),
    };
    return typed(command, argv, { env: bot.env });
  };
  const proven = revoked().slice(contained().length);

  it('answers 0 as soon as the token is proven dead, and tells on the way how it goes', async () => {
    await write('eeee000005', contained().slice(0, 2));
    const rest = [...contained().slice(2), ...proven];
    const told = await whileWaiting(['eeee', '--wait'], async (turn) => {
      if (turn === 3) await write('eeee000005', rest);
      expect(turn).toBeLessThan(5);
    });
    expect(told.code).toBe(0);
    expect(told.out).toContain('Proven dead: yes');
    expect(told.err.trim().split('\n')).toHaveLength(1);
  });

  it('answers 1 when time is up', async () => {
    let turns = 0;
    const told = await whileWaiting(['cccc', '--wait', '--timeout', '1m', '--json'], async (turn) => {
      turns = turn;
    });
    expect(told.code).toBe(1);
    expect(turns).toBe(30);
    expect(JSON.parse(told.out)).toMatchObject({ provenDead: false });
  });

  it('answers 1 at once for one that was declined, and 0 for a false alarm', async () => {
    const never = (): Promise<void> => Promise.reject(new Error('there is nothing to wait for'));
    await write('abab000006', [reported(), { type: 'closed', as: 'declined', reason: 'no' }]);
    await write('acac000007', [reported(), { type: 'closed', as: 'false-alarm', reason: 'a test' }]);
    expect((await whileWaiting(['abab', '--wait'], never)).code).toBe(1);
    expect((await whileWaiting(['acac', '--wait'], never)).code).toBe(0);
  });
});
