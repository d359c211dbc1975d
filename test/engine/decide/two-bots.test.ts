// Two bots show one incident, and one of them is stopped in the middle: what stands in Slack in the end is the newest state.
import { expect, it } from 'vitest';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import { doReport } from '../../../src/engine/door/report.ts';
import type { BotDeps } from '../../../src/engine/ground/deps.ts';
import type { Reporter } from '../../../src/ports/reporter.ts';
import { aPolicy } from '../../builders.ts';
import { memoryLog, memorySwitch } from '../../memory-log.ts';

const ID = 'abc';
const LOCK_MS = 10_000;

function world() {
  let now = Date.parse('2026-11-24T03:00:00Z');
  const clock = { now: () => now };
  const log = memoryLog(clock);
  const held = new Map<string, number>();
  const deps = {
    log,
    vault: log,
    queue: { add: async () => {} },
    pause: memorySwitch(),
    clock,
    // It lapses by itself, as in Redis, when its holder cannot renew it.
    locks: {
      take: async (name: string) => {
        if ((held.get(name) ?? 0) > now) return undefined;
        const until = now + LOCK_MS;
        held.set(name, until);
        return {
          held: () => held.get(name) === until && until > now,
          release: async () => void (held.get(name) === until && held.delete(name)),
        };
      },
    },
    settings: { reporters: ['slack'], policy: aPolicy() } as unknown as BotDeps['settings'],
    logger: { info() {}, warn() {}, error() {} },
  } satisfies BotDeps;
  const append = async (...events: EventBody[]) => {
    const { events: old, head } = (await log.load(ID)) ?? { events: [], head: '' };
    await log.append({ id: ID, expected: old.length, head, events });
  };
  return { deps, append, advance: (ms: number) => (now += ms), log };
}

it('a bot that slept while it drew draws again what the other had shown meanwhile', async () => {
  const { deps, append, advance, log } = world();
  const channel = { card: 'nothing' };
  let wake = () => {};
  let reached = () => {};
  const asleep = new Promise<void>((resolve) => (wake = resolve));
  const there = new Promise<void>((resolve) => (reached = resolve));
  const cursors: number[] = [];
  const bot = (sleeps: boolean): Reporter => {
    let first = sleeps;
    return {
      name: 'slack',
      async report(incident, _events, cursor) {
        const drawn = incident.closed ? `closed at ${incident.version}` : `open at ${incident.version}`;
        if (first) {
          first = false;
          reached();
          await asleep;
        }
        if (sleeps) cursors.push(cursor);
        channel.card = drawn;
        return incident.version;
      },
    };
  };
  await append(
    { type: 'alert-received', alert: { source: 'report', subject: { kind: 'unnamed' } } },
    { type: 'closed', as: 'resolved', reason: 'r' },
  );
  const zombie = doReport(deps, [bot(true)], { kind: 'report', incidentId: ID });
  await there;
  advance(LOCK_MS + 1);
  await append({ type: 'reopened', reason: 'the token works again' });
  await doReport(deps, [bot(false)], { kind: 'report', incidentId: ID });
  expect(channel.card).toBe('open at 3');
  wake();
  await zombie;
  expect(channel.card).toBe('open at 3');
  // What the other told in the thread is not told again.
  expect(cursors).toEqual([0, 3]);
  expect((await log.load(ID))?.cursors).toEqual({ slack: 3 });
});
