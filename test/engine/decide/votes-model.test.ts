// A model of approvals beside the real engine and the real Redis log: whatever people do in whatever order, no step runs without the votes that its rule demands at that moment.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SandboxRedis, startRedis } from '../../../sandbox/redis.ts';
import { actions } from '../../../src/actions/index.ts';
import { createIncidentLog } from '../../../src/adapters/redis/incident-log.ts';
import { createVault } from '../../../src/adapters/redis/vault.ts';
import type { Action } from '../../../src/contracts/action.ts';
import type { Person } from '../../../src/domain/decision/click.ts';
import type { Incident } from '../../../src/domain/incident/incident.ts';
import { openRun } from '../../../src/domain/incident/runs.ts';
import { notDone } from '../../../src/domain/outcome.ts';
import type { Policy } from '../../../src/domain/rules/policy.ts';
import { doWork } from '../../../src/engine/door/work.ts';
import { openSession, owed } from '../../../src/engine/ground/session.ts';
import { openWorld } from '../../adapters/redis/support.ts';
import { aPolicy } from '../../builders.ts';
import { type Harness, seedLegacy, startHarness, TEAM } from '../harness.ts';

const PEOPLE = ['UANN01', 'UBOB01', 'UCYD01', 'UDEE01'] as const;
const REQUESTER = 'UANN01';

type Move =
  | { do: 'approve' | 'withdraw' | 'twice' | 'glass' | 'ask'; by: string }
  /** Both processes get another policy, or the worker alone. */
  | { do: 'policy'; approvals: number; approvers: string[]; botToo: boolean }
  | { do: 'replan' | 'expire' | 'work' | 'pause' | 'resume' };

const who = fc.constantFrom(...PEOPLE, 'USTRANGER');
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('approve' as const), by: who }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('withdraw' as const, 'twice' as const), by: who }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('glass' as const), by: fc.constantFrom('UDEE01', 'USTRANGER') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('ask' as const), by: fc.constantFrom('UBOB01', 'UDEE01') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('policy' as const),
      approvals: fc.integer({ min: 1, max: 3 }),
      approvers: fc.subarray([...PEOPLE], { minLength: 1 }),
      botToo: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'work' as const,
        'replan' as const,
        'expire' as const,
        'pause' as const,
        'resume' as const,
      ),
    }),
  },
);

const policyOf = (approvals: number, approvers: string[]): Policy =>
  aPolicy(
    { rules: [{ name: 'n', do: { revoke: { approvals }, contain: 'never' } }], breakGlass: ['UDEE01'] },
    { people: { responders: [], approvers } },
  );

interface Execution {
  /** Whose votes counted by the model, when the step was about to run. */
  votes: string[];
  glass: boolean;
  policy: Policy;
  paused: boolean;
  /** Who had asked for an incident about this ServiceAccount, this one or another. */
  askers: string[];
}

/** The few facts by which the model judges; nothing of it is read from the engine's own fold. */
interface Model {
  /** By person: the how-manieth plan was approved. */
  votes: Map<string, number>;
  running?: { votes: string[]; glass: boolean };
  paused: boolean;
  askers: Set<string>;
  executed: Execution[];
}

let redis: SandboxRedis;
let world: ReturnType<typeof openWorld>;
beforeAll(async () => {
  redis = await startRedis();
  world = openWorld(redis);
});
afterAll(async () => {
  await world?.close();
  await redis?.close();
});

const person = (id: string): Person => ({ id, teamId: TEAM, guest: false, bot: false, deactivated: false });

async function play(moves: readonly Move[]): Promise<Model> {
  const model: Model = { votes: new Map(), paused: false, askers: new Set([REQUESTER]), executed: [] };
  let h: Harness | undefined;
  const watched = actions.map(
    (action): Action => ({
      ...action,
      async execute() {
        const { votes = [], glass = false } = model.running ?? {};
        const policy = (h as Harness).deps.settings.policy;
        model.executed.push({ votes, glass, policy, paused: model.paused, askers: [...model.askers] });
        // Never done, so that everything can be tried again and again.
        return notDone('as the model wants it');
      },
    }),
  );
  const roster = { policy: policyOf(2, ['UBOB01', 'UCYD01', 'UDEE01']) };
  h = await startHarness({ actions: watched, settings: { policy: roster.policy }, roster });
  const { clock } = h.deps;
  const { store, prefix, keys } = world;
  Object.assign(h.deps, {
    log: createIncidentLog({ store, prefix, keys, clock }),
    vault: createVault({ store, prefix, keys }),
  });
  try {
    const { incidentId } = await h.leak(await seedLegacy(h.cluster()), { reporter: REQUESTER });
    await work(h, incidentId);
    for (const one of moves) await make(h, roster, incidentId, model, one);
    await work(h, incidentId);
    return model;
  } finally {
    await h.close();
  }
}

const stateOf = async (h: Harness, id: string): Promise<Incident> => {
  const session = await openSession(h.deps, id);
  if (!session) throw new Error('no such incident');
  return session.incident;
};

/** Everything that is owed now. */
async function work(h: Harness, id: string): Promise<void> {
  for (let turns = 0; turns < 50; turns++) {
    const session = await openSession(h.deps, id);
    const next = session && owed(h.deps, session).find(({ at }) => at <= h.now());
    if (next === undefined) return;
    await doWork(h.deps, next);
  }
}

async function make(
  h: Harness,
  roster: { policy: Policy },
  id: string,
  model: Model,
  one: Move,
): Promise<void> {
  const loaded = await h.deps.log.load(id);
  const plans = (loaded?.events ?? []).filter(({ type }) => type === 'plan-proposed').length;
  const { plan } = await stateOf(h, id);
  const hash = plan?.hash ?? '';
  const click = async (verb: 'approve' | 'withdraw' | 'break-glass', by: string) => {
    const before = (await stateOf(h, id)).runs.length;
    const answer = await h.front.decide(id, { verb, by: person(by), hash, reason: 'x' });
    if (!answer.decided) return;
    if (verb === 'withdraw') model.votes.delete(by);
    if (verb === 'approve') model.votes.set(by, plans);
    if (answer.incident.runs.length === before) return;
    const votes = [...model.votes].filter(([, number]) => number === plans).map(([voter]) => voter);
    model.running = { votes, glass: verb === 'break-glass' };
    model.votes.clear();
  };
  switch (one.do) {
    case 'approve':
    case 'withdraw':
      return await click(one.do, one.by);
    case 'glass':
      return await click('break-glass', one.by);
    case 'twice':
      await Promise.all([click('approve', one.by), click('approve', one.by)]);
      return;
    case 'policy': {
      const policy = policyOf(one.approvals, one.approvers);
      h.deps.settings.policy = policy;
      if (one.botToo) roster.policy = policy;
      return;
    }
    case 'ask': {
      const at = { cluster: 'prod', namespace: 'payments', serviceAccount: 'api', jti: one.by };
      const subject = { kind: 'coordinates' as const, at };
      const alert = { source: 'slash', subject, reporter: one.by };
      const { incidentId } = await h.front.report({ alert });
      await work(h, incidentId);
      model.askers.add(one.by);
      return;
    }
    case 'pause':
    case 'resume': {
      const reason = one.do === 'pause' ? 'x' : undefined;
      await h.front.pause(person(h.deps.settings.policy.people.approvers[0] ?? ''), reason);
      model.paused = reason !== undefined;
      return;
    }
    case 'expire':
      h.advance(24 * 3_600_000);
      return await work(h, id);
    case 'replan':
      if (openRun(await stateOf(h, id)) === undefined && loaded)
        await h.deps.log.append({
          id,
          expected: loaded.events.length,
          head: loaded.head,
          events: [{ type: 'plan-expired' }],
        });
      return await work(h, id);
    case 'work':
      return await work(h, id);
  }
}

it('no sequence of votes, withdrawals, expiries, new plans, duplicates and changed roles runs a step without its votes', async () => {
  let executed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(move, { minLength: 4, maxLength: 14 }), async (moves) => {
      const model = await play(moves);
      executed += model.executed.length;
      for (const { votes, glass, policy, paused, askers } of model.executed) {
        expect(paused).toBe(false);
        if (glass) continue;
        const [rule] = policy.rules;
        const needed = rule?.do.revoke;
        const counted = new Set(
          votes.filter((by) => !askers.includes(by) && policy.people.approvers.includes(by)),
        );
        expect(counted.size).toBeGreaterThanOrEqual(typeof needed === 'object' ? needed.approvals : 99);
      }
    }),
    { numRuns: 60 },
  );
  // A test in which nothing ever runs would show nothing.
  expect(executed).toBeGreaterThan(3);
}, 120_000);
