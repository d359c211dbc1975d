// What goes into the queue when: a new alert wakes the worker before the bot, and the sweeper adds what is due and nothing else.
import { beforeEach, expect, test } from 'vitest';
import { DEFAULT_PACE } from '../../../src/domain/plan/waves.ts';
import { createFront } from '../../../src/engine/door/create-front.ts';
import { sweep } from '../../../src/engine/door/sweep.ts';
import type { BotDeps } from '../../../src/engine/ground/deps.ts';
import type { Work } from '../../../src/ports/queue.ts';
import { Secret } from '../../../src/secret.ts';
import { aPolicy } from '../../builders.ts';
import { type Memory, memoryLog, memorySwitch } from '../../memory-log.ts';

const policy = aPolicy({}, { autoContain: 'token-in-hand' });

const HOUR = 3_600_000;

let now: number;
let added: Work[];
let memory: Memory;
let deps: BotDeps;

beforeEach(() => {
  now = Date.parse('2026-11-24T03:00:00Z');
  added = [];
  const clock = { now: () => now };
  memory = memoryLog(clock);
  deps = {
    log: memory,
    vault: memory,
    queue: { add: async (work) => void added.push(...work) },
    pause: memorySwitch(),
    locks: { take: async () => undefined },
    clock,
    settings: {
      timing: {
        approvalExpiry: HOUR,
        stability: 15_000,
        retryEvery: 2000,
        recheckAfter: [],
        keepTokenFor: HOUR,
        soak: HOUR,
      },
      giveUpAfter: 120_000,
      policy,
      autoContainPerHour: 10,
      pace: DEFAULT_PACE,
      searchNamespaces: {},
      reporters: ['slack'],
    },
    logger: { info() {}, warn() {}, error() {} },
  };
});

const report = () => {
  const roster = { policy, teamId: 'T1' };
  const ask = () => Promise.reject(new Error('nobody asks here'));
  const front = createFront(deps, { roster, clusters: ['prod'], ask, health: async () => [] });
  const alert = { source: 'report', subject: { kind: 'token' as const } };
  return front.report({ alert, token: new Secret('eyJ.not.really') });
};

test('the worker is to look at a new alert at once, the bot to show it a moment later', async () => {
  const { incidentId } = await report();
  expect(added.map(({ kind, at }) => [kind, at - now])).toEqual(
    expect.arrayContaining([
      ['investigate', 0],
      ['report', 300],
    ]),
  );
  expect(added).toHaveLength(2);
  expect(added.every((work) => work.incidentId === incidentId)).toBe(true);
});

test('the alert is accepted although the queue takes nothing', async () => {
  deps.queue = { add: () => Promise.reject(new Error('the queue is away')) };
  const { incidentId } = await report();
  expect(memory.events(incidentId).map(({ type }) => type)).toEqual(['alert-received']);
});

test('the sweeper adds what is due under the id that it already has, and what is due later only then', async () => {
  await report();
  const first = added.find(({ kind }) => kind === 'investigate');
  added = [];
  await sweep(deps);
  expect(added.map(({ kind }) => kind).toSorted()).toEqual(['investigate', 'report']);
  expect(added).toContainEqual(first);
  added = [];
  now += HOUR;
  await sweep(deps);
  expect(added.map(({ kind }) => kind).toSorted()).toEqual(['forget-token', 'investigate', 'report']);
});

test('an incident that owes something later stays on the list of those to sweep', async () => {
  const { incidentId } = await report();
  await deps.log.advance('slack', incidentId, 1);
  await sweep(deps);
  expect(await memory.toSweep()).toEqual([incidentId]);
});
