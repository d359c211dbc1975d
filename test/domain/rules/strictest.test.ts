// Where several rules may fit, or several steps ask: whatever is enough for all of them together is enough for each alone.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Counted, missing } from '../../../src/domain/decision/votes.ts';
import type { Facts } from '../../../src/domain/rules/match.ts';
import {
  type Ask,
  type Deed,
  requirementFor,
  requirementForPlan,
  strictest,
} from '../../../src/domain/rules/policy.ts';
import { aPolicy, type PolicyInput, quarantine, remove, T0 } from '../../builders.ts';

const PEOPLE = ['UAAA', 'UBBB', 'UCCC', 'UDDD'];
const people = { responders: ['UAAA', 'UBBB'], approvers: ['UBBB', 'UCCC'] };
const MINUTE = 60_000;

type Decision = NonNullable<PolicyInput['rules']>[number]['do'][string];

const from = fc.subarray(['approvers', 'responders', 'UCCC', 'UDDD', 'S0SEC'], { minLength: 1 });
const approval = fc.record({
  approvals: fc.integer({ min: 1, max: 3 }),
  from,
  excludeRequester: fc.boolean(),
  reason: fc.boolean(),
  group: fc.boolean(),
});
const ask: fc.Arbitrary<Ask> = fc
  .tuple(approval, fc.integer({ min: 1, max: 60 }), fc.constantFrom('a', 'b'))
  .map(([one, minutes, rule]) => ({ ...one, expiry: minutes * MINUTE, rule }));
const decision: fc.Arbitrary<Decision> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom('auto' as const, 'never' as const) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(approval, fc.integer({ min: 1, max: 60 }))
      .map(([one, minutes]) => ({ ...one, expiry: `${minutes}m` })),
  },
);
const vote: fc.Arbitrary<Counted> = fc.record(
  {
    by: fc.constantFrom(...PEOPLE),
    groups: fc.subarray(['S0SEC']),
    at: fc.integer({ min: 0, max: 90 }).map((minutes) => new Date(T0 - minutes * MINUTE).toISOString()),
    reason: fc.constantFrom('because', ' '),
    together: fc.constant(true as const),
  },
  { requiredKeys: ['by', 'groups', 'at'] },
);
const votes = fc.array(vote, { maxLength: 12 });
const requesters = fc.subarray(PEOPLE);

const policy = aPolicy({}, { people });

const enough = (asks: readonly Ask[], given: readonly Counted[], asked: readonly string[]): boolean =>
  asks.every((one) => missing(policy, one, given, asked, T0) === 0);

it('the strictest of some asks is enough for each of them', () => {
  let held = 0;
  fc.assert(
    fc.property(fc.array(ask, { minLength: 1, maxLength: 4 }), votes, requesters, (asks, given, asked) => {
      if (!enough(strictest(asks), given, asked)) return;
      held += 1;
      for (const one of asks) expect(missing(policy, one, given, asked, T0)).toBe(0);
    }),
    { numRuns: 3000 },
  );
  expect(held).toBeGreaterThan(50);
});

const RANK = { auto: 0, approve: 1, never: 2 };
const contain: Deed = { action: 'quarantine-token', phase: 'contain', reversible: true };
const del: Deed = { action: 'delete-token-secret', phase: 'revoke', reversible: false };
const known: Facts = {
  cluster: 'prod',
  namespace: 'payments',
  serviceAccount: 'api',
  tokenKind: 'legacy',
  source: 'gitguardian',
  severity: 'high',
  labels: {},
  tier: 'severe',
};
const match = fc.record(
  {
    tier: fc.subarray(['severe' as const, 'high' as const, 'low' as const], { minLength: 1 }),
    labels: fc.constantFrom<Record<string, string>>({ team: 'a' }, { env: 'b' }),
  },
  { requiredKeys: [] },
);
const rules = fc
  .array(
    fc.record({
      match,
      do: fc.dictionary(fc.constantFrom('contain', 'revoke', 'any'), decision, { minKeys: 1 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((all) => all.map((rule, index) => ({ ...rule, name: `r${index}` })));
const tiers = fc.constantFrom<Facts['tier']>('severe', 'high', 'moderate', 'low', 'unknown');
const labels = fc.constantFrom<Record<string, string>>(
  {},
  { team: 'a' },
  { env: 'b' },
  { team: 'a', env: 'b' },
);

it('what is enough in ignorance is enough whatever the facts turn out to be', () => {
  let held = 0;
  fc.assert(
    fc.property(
      rules,
      fc.constantFrom(contain, del),
      tiers,
      labels,
      votes,
      requesters,
      (written, deed, tier, given, cast, asked) => {
        const by = aPolicy({ rules: written }, { people });
        const before = requirementFor(by, deed, { ...known, tier: undefined, labels: undefined });
        const after = requirementFor(by, deed, { ...known, tier, labels: given });
        expect(RANK[before.kind]).toBeGreaterThanOrEqual(RANK[after.kind]);
        if (before.kind !== 'approve' || after.kind !== 'approve') return;
        if (!enough(before.asks, cast, asked)) return;
        held += 1;
        expect(enough(after.asks, cast, asked)).toBe(true);
      },
    ),
    { numRuns: 5000 },
  );
  expect(held).toBeGreaterThan(50);
});

it('what is enough for a plan is enough for each of its steps', () => {
  fc.assert(
    fc.property(rules, tiers, labels, votes, requesters, (written, tier, given, cast, asked) => {
      const by = aPolicy({ rules: written }, { people });
      const facts = { ...known, tier, labels: given };
      const plan = requirementForPlan(by, [quarantine, remove], () => facts);
      if (plan.kind === 'never' || !enough(plan.asks, cast, asked)) return;
      for (const step of [quarantine, remove]) {
        const needed = requirementFor(by, step, facts);
        if (needed.kind === 'approve') expect(enough(needed.asks, cast, asked)).toBe(true);
      }
    }),
    { numRuns: 3000 },
  );
});

it.each<[string, Decision, Decision]>([
  ['other people', { ...plain(), from: ['S0SEC'] }, plain()],
  ['a reason', { ...plain(), reason: true }, { ...plain(), approvals: 2 }],
  ['who asked does not count', { ...plain(), excludeRequester: true }, plain()],
  ['a shorter time', { ...plain(), expiry: '1m' }, { ...plain(), expiry: '1h' }],
])('of two rules that may fit, one wants %s: whoever approves must do as both say', (_name, a, b) => {
  const written = [
    { name: 'a', match: { tier: ['severe' as const] }, do: { any: a } },
    { name: 'b', do: { any: b } },
  ];
  for (const order of [
    written,
    [
      { ...written[0], do: { any: b } },
      { ...written[1], do: { any: a } },
    ],
  ]) {
    const by = aPolicy({ rules: order as typeof written }, { people });
    const needed = requirementFor(by, del, { ...known, tier: undefined });
    if (needed.kind !== 'approve') throw new Error('unreachable');
    const old = new Date(T0 - 2 * MINUTE).toISOString();
    const cast = ['UBBB', 'UCCC'].map((id): Counted => ({ by: id, groups: [], at: old }));
    expect(enough(needed.asks, cast, ['UBBB', 'UCCC'])).toBe(false);
  }
});

function plain() {
  return { approvals: 1, from: ['approvers'], excludeRequester: false, reason: false, group: false };
}
