// Steps that take minutes: what they remember outlives a crash, what they show is rare, and people decide about those that stop.
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Action, defineAction } from '../../../src/contracts/action.ts';
import type { Verb } from '../../../src/domain/incident/decision.ts';
import { done, notDone } from '../../../src/domain/outcome.ts';
import { due } from '../../../src/domain/owed/due.ts';
import type { Phase } from '../../../src/domain/plan/plan.ts';
import { AppError } from '../../../src/errors.ts';
import type { Locks } from '../../../src/ports/locks.ts';
import { type Harness, seedLegacy, startHarness } from '../harness.ts';
import { dyingLog, ignoreCrash, survive } from './crash.ts';

let harness: Harness | undefined;
afterEach(() => harness?.close());

const PARTS = ['a', 'b', 'c', 'd'];

/** Replaces parts one by one, each 8 s; `world` is the cluster, `stuck` are parts that never come. */
function rolling(world: Set<string>, stuck: Set<string> = new Set()) {
  const begun: number[] = [];
  const action: Action = defineAction({
    name: 'roll',
    phase: 'roll-out' satisfies Phase,
    reversible: false,
    params: z.strictObject({}),
    permissions: [],
    propose: () => [{}],
    describe: () => ({ title: 'Roll', breaks: 'Nothing.', kubectl: ['roll'] }),
    async execute(tools) {
      if (tools.memory.since === undefined) await tools.remember({ since: tools.now() });
      begun.push(tools.memory.since as number);
      const parts = PARTS.filter((part) => !tools.memory.skipped?.includes(part));
      for (const [index, part] of parts.entries()) {
        if (world.has(part)) continue;
        await tools.remember({ at: part });
        for (let waited = 0; waited < 4; waited++) {
          await tools.progress({ done: index, total: parts.length, line: `Waiting for ${part}.` });
          await tools.sleep(2000);
        }
        if (stuck.has(part)) {
          await tools.remember({ blocked: [part] });
          return notDone(`${part} does not come.`);
        }
        world.add(part);
      }
      return done('All came.');
    },
    verify: async ({ memory }) =>
      PARTS.every((part) => world.has(part) || memory.skipped?.includes(part))
        ? done('All are there.')
        : notDone('Some are missing.'),
  });
  return { action, begun };
}

/** A step that is done before the roll-out and can be taken back, with what it remembered. */
function preparing(journal: string[]): Action {
  let prepared = false;
  return defineAction({
    name: 'prepare',
    phase: 'replace' satisfies Phase,
    reversible: true,
    params: z.strictObject({}),
    permissions: [],
    propose: () => [{}],
    describe: () => ({ title: 'Prepare', breaks: 'Nothing.', kubectl: ['prepare'] }),
    async execute(tools) {
      await tools.remember({ original: 'v1' });
      prepared = true;
      journal.push('prepared');
      return done('Prepared.');
    },
    verify: async () => (prepared ? done('It is prepared.') : notDone('It is not prepared.')),
    async undo({ memory }) {
      prepared = false;
      journal.push(`back to ${memory.original}`);
      return done('Taken back.');
    },
  });
}

async function approved(actions: Action[], log?: (h: Harness) => void): Promise<[Harness, string]> {
  const h = await startHarness({ actions, settings: { autoContain: 'off' } });
  harness = h;
  const { incidentId: id } = await h.leak(await seedLegacy(h.cluster()));
  await h.run(id);
  log?.(h);
  await h.click(id, 'approve', 'UINES').catch(ignoreCrash);
  return [h, id];
}

const types = (h: Harness, id: string) => h.memory.events(id).map(({ type }) => type);
const steps = (h: Harness, id: string) => h.incident(id).runs.flatMap((run) => run.steps);
const decide = (h: Harness, id: string, verb: Verb, extra = {}) =>
  h.click(id, verb, 'UINES', { hash: h.incident(id).runs.at(-1)?.id ?? '', ...extra });

describe('a step that takes long', () => {
  it('notes first, shows progress every few seconds at most, and ends', async () => {
    const [h, id] = await approved([rolling(new Set()).action]);
    const before = h.now();
    await h.run(id);
    expect(h.now() - before).toBe(32_000);
    expect(steps(h, id)[0]).toMatchObject({ attempts: 1, outcome: { verdict: 'done' } });
    const progress = h.memory.events(id).filter(({ type }) => type === 'step-progressed');
    const gaps = progress.slice(1).map(({ at }, i) => Date.parse(at) - Date.parse(progress[i]?.at ?? ''));
    expect(gaps.length).toBeGreaterThan(5);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(3000);
    const order = types(h, id);
    expect(order.indexOf('step-noted')).toBe(order.indexOf('step-started') + 1);
    expect(steps(h, id)[0]?.progress).toMatchObject({ total: 4, from: 0 });
    // It killed nothing, so there is nothing to prove.
    expect(h.incident(id).proof).toBeUndefined();
  });

  it('is left where it stands when the process stops, without any trouble, and is still owed', async () => {
    const { action } = rolling(new Set());
    const [h, id] = await approved([action]);
    const { sleep } = h.deps;
    h.deps.sleep = async (ms, signal) => {
      if (types(h, id).includes('step-progressed')) h.stop();
      await sleep(ms, signal);
    };
    const { timing } = h.deps.settings;
    await expect(h.run(id)).rejects.toThrow('still owed');
    expect(types(h, id)).not.toContain('trouble');
    expect(steps(h, id)[0]?.outcome).toBeUndefined();
    expect(due(h.incident(id), timing, { cursors: {}, reporters: [] }).map(({ kind }) => kind)).toEqual([
      'run',
      'recheck',
      'forget-token',
    ]);
  });

  it('ends for the one from whom another process has taken it', async () => {
    const world = new Set<string>();
    const [h, id] = await approved([rolling(world).action]);
    const { sleep } = h.deps;
    let taken = false;
    h.deps.sleep = async (ms, signal) => {
      const state = steps(h, id)[0];
      if (!taken && state) {
        taken = true;
        const run = h.incident(id).runs[0]?.id ?? '';
        const events = [{ type: 'step-started' as const, run, step: state.step.id, attempt: 2 }];
        await h.memory.append({ id, expected: h.memory.events(id).length, head: '', events });
      }
      await sleep(ms, signal);
    };
    await h.run(id);
    // The first gave up without a part; the next job, here the same process, took up as attempt 3.
    expect(steps(h, id)[0]).toMatchObject({ attempts: 3, outcome: { verdict: 'done' } });
    expect(types(h, id)).not.toContain('trouble');
    expect(types(h, id).filter((type) => type === 'step-ended')).toHaveLength(1);
  });

  it('waits while another incident changes the same ServiceAccount, and says so', async () => {
    const [h, id] = await approved([rolling(new Set()).action]);
    const held = new Set(['change:prod/payments/api']);
    const locks: Locks = {
      take: async (name) => (held.has(name) ? undefined : { held: () => true, release: async () => {} }),
    };
    h.deps.locks = locks;
    await h.run(id, 10_000);
    expect(h.incident(id).troubles.run?.message).toContain('Another incident is changing prod/payments/api');
    expect(types(h, id)).not.toContain('step-started');
    held.clear();
    await h.run(id, 60_000);
    expect(steps(h, id)[0]?.outcome?.verdict).toBe('done');
  });

  it('is done once where a twin of the job holds the run', async () => {
    const [h, id] = await approved([rolling(new Set()).action]);
    const names: string[] = [];
    h.deps.locks = {
      take: async (name) => {
        names.push(name);
        return names.length > 3 ? { held: () => true, release: async () => {} } : undefined;
      },
    };
    await h.run(id);
    expect(names.slice(0, 4)).toEqual(Array(4).fill(`run:${id}`));
    expect(types(h, id)).not.toContain('trouble');
    expect(steps(h, id)[0]).toMatchObject({ attempts: 1, outcome: { verdict: 'done' } });
  });
});

describe('a crash in a step that takes long', () => {
  const appends = 20;
  it.each(
    Array.from({ length: appends }, (_, i) => i + 1).flatMap((k) => [
      [k, 'before'] as const,
      [k, 'after'] as const,
    ]),
  )('at append %i, %s it is written, forgets nothing', async (k, when) => {
    const world = new Set<string>();
    const { action, begun } = rolling(world);
    const [h, id] = await approved([action], (started) => {
      started.deps.log = dyingLog(started.deps.log, k, when);
    });
    await survive(h, id, 60_000);
    if (h.incident(id).runs.length === 0) {
      await h.click(id, 'approve', 'UINES');
      await h.run(id, 60_000);
    }
    expect(steps(h, id)[0]?.outcome?.verdict).toBe('done');
    expect([...world].sort()).toEqual(PARTS);
    // Every attempt worked from the same beginning.
    expect(new Set(begun).size).toBe(1);
    expect(types(h, id).filter((type) => type === 'step-ended')).toHaveLength(1);
  });
});

describe('a run that stopped', () => {
  const stopped = async (journal: string[] = []) => {
    const stuck = new Set(['c']);
    const world = new Set<string>();
    const { action, begun } = rolling(world, stuck);
    const [h, id] = await approved([preparing(journal), action]);
    await h.run(id);
    expect(h.incident(id).runs.at(-1)?.stopped).toContain('c does not come');
    return { h, id, stuck, world, begun };
  };

  it('is tried again with what it remembered, from where it stood', async () => {
    const { h, id, stuck, world, begun } = await stopped();
    stuck.clear();
    expect(await decide(h, id, 'retry')).toMatchObject({ decided: true });
    await h.run(id);
    const run = h.incident(id).runs.at(-1);
    expect(run?.steps.map(({ step, outcome }) => [step.action, outcome?.verdict])).toEqual([
      ['roll', 'done'],
    ]);
    expect([...world].sort()).toEqual(PARTS);
    expect(new Set(begun).size).toBe(1);
  });

  it('goes on without what holds it up, when an approver says so', async () => {
    const { h, id, world } = await stopped();
    const hash = h.incident(id).runs.at(-1)?.id ?? '';
    expect(await h.click(id, 'skip', 'UMAYA', { hash })).toMatchObject({ refusal: { code: 'not-allowed' } });
    expect(await decide(h, id, 'skip')).toMatchObject({ decided: true });
    await h.run(id);
    expect(steps(h, id).at(-1)).toMatchObject({ memory: { skipped: ['c'] }, outcome: { verdict: 'done' } });
    expect([...world].sort()).toEqual(['a', 'b', 'd']);
    expect(h.incident(id).runs.at(-1)?.stopped).toBeUndefined();
  });

  it('is taken back, newest first, with what each step remembered', async () => {
    const journal: string[] = [];
    const { h, id } = await stopped(journal);
    expect(await decide(h, id, 'roll-back')).toMatchObject({ refusal: { code: 'reason-missing' } });
    expect(await decide(h, id, 'roll-back', { reason: 'checkout is down' })).toMatchObject({ decided: true });
    await h.run(id);
    expect(journal).toEqual(['prepared', 'back to v1']);
    expect(h.incident(id).runs.at(-1)).toMatchObject({ kind: 'roll-back' });
    // Nothing had died, so nothing lives again; and everything is looked at and planned anew.
    expect(h.incident(id)).toMatchObject({ liveAgain: false, status: 'awaiting-approval' });
    expect(h.incident(id).plan?.steps.map(({ action }) => action)).toEqual(['prepare', 'roll']);
    expect(await decide(h, id, 'retry')).toMatchObject({ decided: false });
  });

  it('listens only to buttons of its own, and to nobody once it goes on', async () => {
    const { h, id, stuck } = await stopped();
    expect(await decide(h, id, 'retry', { hash: 'plan-1' })).toMatchObject({
      refusal: { code: 'plan-changed' },
    });
    const click = { hash: h.incident(id).runs.at(-1)?.id ?? '' };
    stuck.clear();
    const both = await Promise.all([
      h.click(id, 'retry', 'UINES', click),
      h.click(id, 'retry', 'UTOMAS', click),
    ]);
    expect(both.map(({ decided }) => decided).sort()).toEqual([false, true]);
    await h.run(id);
    expect(await decide(h, id, 'retry')).toMatchObject({ decided: false });
    expect(await decide(h, id, 'skip')).toMatchObject({ decided: false });
  });
});

it('an error of the world in a step that takes long is tried again with what it remembered', async () => {
  const world = new Set<string>();
  const { action, begun } = rolling(world);
  let failures = 2;
  const [h, id] = await approved([
    {
      ...action,
      execute: async (tools, params) => {
        const outcome = await action.execute(tools, params);
        if (failures-- > 0) throw new AppError('unreachable', 'Away.', { retry: true });
        return outcome;
      },
      verify: async (look, params) => (failures < 0 ? action.verify(look, params) : notDone('Not yet.')),
    },
  ]);
  await h.run(id, 60_000);
  expect(steps(h, id)[0]?.outcome?.verdict).toBe('done');
  expect(new Set(begun).size).toBe(1);
});
