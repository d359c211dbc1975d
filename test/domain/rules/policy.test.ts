// The decision table of the policy: which rule decides, what it asks for, and that ignorance and guards only ever make it stricter.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fold } from '../../../src/domain/incident/fold.ts';
import type { Step } from '../../../src/domain/plan/plan.ts';
import { policyDoubts } from '../../../src/domain/rules/doubts.ts';
import { type Facts, factsOf, globFits, matches } from '../../../src/domain/rules/match.ts';
import {
  type Deed,
  type Policy,
  requirementFor,
  requirementForPlan,
  unknownDeeds,
} from '../../../src/domain/rules/policy.ts';
import { type PolicyMatch, policySchema } from '../../../src/domain/rules/schema.ts';
import { explain } from '../../../src/words/standing/rules.ts';
import {
  anIncident,
  aPolicy,
  eventsOf,
  type PolicyInput,
  quarantine,
  remove,
  reported,
  waiting,
} from '../../builders.ts';

const contain: Deed = { action: 'quarantine-token', phase: 'contain', reversible: true };
const del: Deed = { action: 'delete-token-secret', phase: 'revoke', reversible: false };
const recreate: Deed = { action: 'recreate-service-account', phase: 'revoke', reversible: false };

const facts = (changes: Partial<Facts> = {}): Facts => ({
  cluster: 'prod',
  namespace: 'payments',
  serviceAccount: 'api',
  tokenKind: 'legacy',
  source: 'gitguardian',
  severity: 'high',
  labels: { team: 'payments', tier: 'web' },
  tier: 'severe',
  ...changes,
});

/** "auto", "never" or "2 of a+b, not the requester, rule". */
function words(policy: Policy, deed: Deed, given: Facts): string {
  const needed = requirementFor(policy, deed, given);
  if (needed.kind !== 'approve') return `${needed.kind} (${needed.rule})`;
  return needed.asks
    .map(
      ({ approvals, from, excludeRequester, rule }) =>
        `${approvals} of ${from.join('+')}${excludeRequester ? ', not the requester' : ''} (${rule})`,
    )
    .join(' and ');
}

const one = (match: PolicyInput['rules'] extends (infer R)[] | undefined ? R : never): PolicyInput => ({
  rules: [match],
});
const AUTO = { name: 'r', do: { contain: 'auto' } } as const;

type Case = [string, PolicyInput, Partial<Facts>, Deed, string];

describe('the default', () => {
  it.each<[string, Parameters<typeof aPolicy>[1], Partial<Facts>, Deed, string]>([
    ['responders contain', {}, {}, contain, '1 of responders+approvers (default)'],
    ['an approver deletes', {}, {}, del, '1 of approvers, not the requester (default)'],
    ['an approver re-creates', {}, {}, recreate, '1 of approvers, not the requester (default)'],
    ['the switch contains by itself', { autoContain: 'token-in-hand' }, {}, contain, 'auto (default)'],
    [
      'the switch deletes nothing',
      { autoContain: 'token-in-hand' },
      {},
      del,
      '1 of approvers, not the requester (default)',
    ],
    [
      'protected: two contain',
      { autoContain: 'token-in-hand' },
      { namespace: 'kube-system' },
      contain,
      '2 of responders+approvers (default)',
    ],
    [
      'protected: two delete',
      {},
      { namespace: 'kube-system' },
      del,
      '2 of approvers, not the requester (default)',
    ],
    [
      'nothing is protected by name alone',
      { protectedNamespaces: [] },
      { namespace: 'kube-system' },
      del,
      '1 of approvers, not the requester (default)',
    ],
  ])('%s', (_name, given, changes, deed, expected) => {
    expect(words(aPolicy({}, given), deed, facts(changes))).toBe(expected);
  });
});

describe('what a rule matches', () => {
  const fallback = '1 of responders+approvers (default)';
  it.each<[string, PolicyMatch, Partial<Facts>, string]>([
    ['nothing said fits everything', {}, {}, 'auto (r)'],
    ['a cluster', { cluster: ['prod'] }, {}, 'auto (r)'],
    ['another cluster', { cluster: ['staging'] }, {}, fallback],
    ['a cluster by glob', { cluster: ['pr*'] }, {}, 'auto (r)'],
    ['one letter by glob', { cluster: ['pro?'] }, {}, 'auto (r)'],
    ['a glob is anchored at its end', { cluster: ['pro'] }, {}, fallback],
    ['a glob is anchored at its beginning', { cluster: ['rod'] }, {}, fallback],
    ['a dot is no glob', { cluster: ['pr.d'] }, {}, fallback],
    ['one of several', { cluster: ['staging', 'prod'] }, {}, 'auto (r)'],
    ['a namespace', { namespace: ['payments'] }, {}, 'auto (r)'],
    ['another namespace', { namespace: ['payments-*'] }, {}, fallback],
    ['a ServiceAccount', { serviceAccount: ['api'] }, {}, 'auto (r)'],
    ['another ServiceAccount', { serviceAccount: ['ci-*'] }, {}, fallback],
    ['a label', { labels: { team: 'payments' } }, {}, 'auto (r)'],
    ['two labels', { labels: { team: 'payments', tier: 'web' } }, {}, 'auto (r)'],
    ['one of two labels differs', { labels: { team: 'payments', tier: 'db' } }, {}, fallback],
    ['a label that is not there', { labels: { env: 'x' } }, {}, fallback],
    ['a kind of token', { tokenKind: ['legacy'] }, {}, 'auto (r)'],
    ['another kind', { tokenKind: ['pod-bound', 'unbound'] }, {}, fallback],
    ['a source', { source: ['gitguardian'] }, {}, 'auto (r)'],
    ['another source', { source: ['falco'] }, {}, fallback],
    ['a severity', { severity: ['critical', 'high'] }, {}, 'auto (r)'],
    ['another severity', { severity: ['critical'] }, {}, fallback],
    ['an unknown severity fits only unknown', { severity: ['critical'] }, { severity: 'unknown' }, fallback],
    ['a tier', { tier: ['severe'] }, {}, 'auto (r)'],
    ['another tier', { tier: ['low'] }, {}, fallback],
    ['all keys fit', { cluster: ['prod'], namespace: ['pay*'], tier: ['severe'] }, {}, 'auto (r)'],
    ['one key of three does not', { cluster: ['prod'], namespace: ['pay*'], tier: ['low'] }, {}, fallback],
  ])('%s', (_name, match, changes, expected) => {
    expect(words(aPolicy(one({ ...AUTO, match })), contain, facts(changes))).toBe(expected);
  });
});

describe('which rule decides', () => {
  const two = { approvals: 2 } as const;
  it.each<Case>([
    ['the first that fits', { rules: [{ name: 'a', do: { any: 'never' } }, AUTO] }, {}, contain, 'never (a)'],
    [
      'the second where the first does not fit',
      { rules: [{ name: 'a', match: { cluster: ['x'] }, do: { any: 'never' } }, AUTO] },
      {},
      contain,
      'auto (r)',
    ],
    [
      'what it does not speak of is left to the default',
      { rules: [{ name: 'a', do: { revoke: 'never' } }, AUTO] },
      {},
      contain,
      '1 of responders+approvers (default)',
    ],
    [
      'a later rule never adds to a matched one',
      { rules: [AUTO, { name: 'b', do: { any: 'never' } }] },
      {},
      del,
      '1 of approvers, not the requester (default)',
    ],
    [
      'the action before the phase',
      one({ name: 'a', do: { 'delete-token-secret': two, revoke: 'never' } }),
      {},
      del,
      '2 of approvers, not the requester (a)',
    ],
    [
      'the phase for its other actions',
      one({ name: 'a', do: { 'delete-token-secret': two, revoke: 'never' } }),
      {},
      recreate,
      'never (a)',
    ],
    [
      'the phase before any',
      one({ name: 'a', do: { revoke: two, any: 'never' } }),
      {},
      del,
      '2 of approvers, not the requester (a)',
    ],
    [
      'any for everything else',
      one({ name: 'a', do: { revoke: two, any: 'never' } }),
      {},
      contain,
      'never (a)',
    ],
    [
      'groups and users',
      one({ name: 'a', do: { any: { from: ['S0SEC', 'UINES00001'] } } }),
      {},
      del,
      '1 of S0SEC+UINES00001, not the requester (a)',
    ],
    [
      'the requester may count',
      one({ name: 'a', do: { any: { excludeRequester: false } } }),
      {},
      del,
      '1 of approvers (a)',
    ],
    [
      'never in a protected namespace',
      one({ name: 'a', do: { any: 'never' } }),
      { namespace: 'kube-system' },
      contain,
      'never (a)',
    ],
    [
      'three stay three in a protected namespace',
      one({ name: 'a', do: { any: { approvals: 3 } } }),
      { namespace: 'kube-system' },
      del,
      '3 of approvers, not the requester (a)',
    ],
    [
      'one becomes two in a protected namespace',
      one({ name: 'a', do: { any: {} } }),
      { namespace: 'kube-system' },
      del,
      '2 of approvers, not the requester (a)',
    ],
  ])('%s', (_name, section, changes, deed, expected) => {
    expect(words(aPolicy(section), deed, facts(changes))).toBe(expected);
  });
});

describe('what keeps auto from being automatic', () => {
  const low = (source?: string[]): PolicyInput => ({
    rules: [{ ...AUTO, ...(source && { match: { source } }) }],
    lowTrustSources: ['falco', 'lab-*'],
  });
  it.each<[...Case, string | undefined]>([
    [
      'a protected namespace',
      one(AUTO),
      { namespace: 'kube-system' },
      contain,
      '2 of responders+approvers (r)',
      'protected-namespace',
    ],
    [
      'a step that cannot be undone',
      one({ name: 'r', do: { any: 'auto' } }),
      {},
      del,
      '1 of approvers, not the requester (r)',
      'cannot-be-undone',
    ],
    [
      'a source of low trust',
      low(),
      { source: 'falco' },
      contain,
      '1 of responders+approvers (r)',
      'low-trust-source',
    ],
    [
      'a source of low trust by glob',
      low(),
      { source: 'lab-1' },
      contain,
      '1 of responders+approvers (r)',
      'low-trust-source',
    ],
    [
      'a glob does not name it',
      low(['f*']),
      { source: 'falco' },
      contain,
      '1 of responders+approvers (r)',
      'low-trust-source',
    ],
    ['its very name does', low(['falco']), { source: 'falco' }, contain, 'auto (r)', undefined],
    ['another source is trusted', low(), {}, contain, 'auto (r)', undefined],
  ])('%s', (_name, section, changes, deed, expected, guard) => {
    const policy = aPolicy(section);
    expect(words(policy, deed, facts(changes))).toBe(expected);
    expect(requirementFor(policy, deed, facts(changes))).toHaveProperty('kind', guard ? 'approve' : 'auto');
    const needed = requirementFor(policy, deed, facts(changes));
    expect('guard' in needed ? needed.guard : undefined).toBe(guard);
  });
});

describe('what is not known yet', () => {
  const strictFirst: PolicyInput = {
    rules: [{ name: 'strict', match: { tier: ['severe'] }, do: { any: 'never' } }, AUTO],
  };
  it.each<Case>([
    ['a stricter rule that may fit decides', strictFirst, { tier: undefined }, contain, 'never (strict)'],
    ['not when it is known not to fit', strictFirst, { tier: 'low' }, contain, 'auto (r)'],
    ['tier unknown is an answer', strictFirst, { tier: 'unknown' }, contain, 'auto (r)'],
    [
      'labels that nobody has read',
      { rules: [{ ...AUTO, match: { labels: { a: 'b' } } }] },
      { labels: undefined },
      contain,
      '1 of responders+approvers (default)',
    ],
    [
      'a laxer rule that may fit does not',
      {
        rules: [
          { ...AUTO, match: { tier: ['low'] } },
          { name: 's', do: { any: { approvals: 2 } } },
        ],
      },
      { tier: undefined },
      contain,
      '2 of approvers, not the requester (s)',
    ],
    [
      'other keys exclude it',
      {
        rules: [{ name: 'strict', match: { tier: ['severe'], cluster: ['x'] }, do: { any: 'never' } }, AUTO],
      },
      { tier: undefined },
      contain,
      'auto (r)',
    ],
    [
      'more approvals win',
      {
        rules: [
          { name: 'a', match: { tier: ['severe'] }, do: { any: { approvals: 3 } } },
          { name: 'b', do: { any: { approvals: 2 } } },
        ],
      },
      { tier: undefined },
      del,
      '3 of approvers, not the requester (a)',
    ],
  ])('%s', (_name, section, changes, deed, expected) => {
    expect(words(aPolicy(section), deed, facts(changes))).toBe(expected);
  });
});

describe('a whole plan', () => {
  const steps: Step[] = [quarantine, remove];
  const plan = (policy: Policy) => requirementForPlan(policy, steps, () => facts());
  const asks = (policy: Policy) => {
    const needed = plan(policy);
    return needed.kind === 'never'
      ? `never ${needed.step.action}`
      : needed.asks.map(({ approvals, from }) => `${approvals} of ${from.join('+')}`);
  };

  it.each<[string, PolicyInput, ReturnType<typeof asks>]>([
    ['the laxer ask is part of the stricter', {}, ['1 of approvers']],
    [
      'different people each have their say',
      one({ name: 'a', do: { contain: { from: ['S0OPS'] }, revoke: { from: ['S0SEC'] } } }),
      ['1 of S0OPS', '1 of S0SEC'],
    ],
    [
      'what may run by itself needs nobody more',
      one({ name: 'a', do: { contain: 'auto', revoke: { from: ['S0SEC'] } } }),
      ['1 of S0SEC'],
    ],
    ['the same ask once', one({ name: 'a', do: { any: { approvals: 2 } } }), ['2 of approvers']],
    [
      'one step that is never allowed',
      one({ name: 'a', do: { revoke: 'never' } }),
      'never delete-token-secret',
    ],
    [
      'more approvals of more people do not include fewer of fewer',
      one({
        name: 'a',
        do: { contain: { from: ['UINES00001'] }, revoke: { approvals: 2, from: ['approvers'] } },
      }),
      ['1 of UINES00001', '2 of approvers'],
    ],
  ])('%s', (_name, section, expected) => {
    expect(asks(aPolicy(section))).toEqual(expected);
  });

  it('waits as long as its most impatient step', () => {
    const policy = aPolicy(
      one({ name: 'a', do: { contain: { expiry: '5m' }, revoke: { approvals: 2, expiry: '1h' } } }),
    );
    expect(plan(policy)).toMatchObject({ expiry: 300_000 });
  });

  it('needs somebody to say whose token it is', () => {
    expect(requirementForPlan(aPolicy(), steps, () => undefined).kind).toBe('never');
  });
});

describe('facts', () => {
  it('the source is the one that brought the token, whoever reported first', () => {
    const token = {
      type: 'alert-received',
      alert: { source: 'report', subject: { kind: 'token' } },
    } as const;
    expect(factsOf(anIncident([...waiting(), token]), 'prod')?.source).toBe('report');
    expect(factsOf(anIncident(waiting('UMAYA00001')), 'prod')?.source).toBe('slash');
  });

  it('the severity is the worst that was said', () => {
    const mild = reported();
    if (mild.type !== 'alert-received') throw new Error('unreachable');
    const incident = anIncident([
      { ...mild, alert: { ...mild.alert, severity: 'low' } },
      ...waiting().slice(1),
      reported(),
    ]);
    expect(factsOf(incident, 'prod')?.severity).toBe('critical');
  });

  it('labels and tier are unknown until the cluster was looked at', () => {
    const before = fold('x', eventsOf(...waiting().slice(0, 2)));
    expect(factsOf(before, 'prod')).toMatchObject({ labels: undefined, tier: undefined });
    expect(factsOf(anIncident(waiting()), 'prod')).toMatchObject({ labels: {}, tier: 'severe' });
    expect(factsOf(anIncident(waiting()), 'staging')).toMatchObject({ labels: undefined, tier: undefined });
    expect(factsOf(anIncident([reported()]), 'prod')).toBeUndefined();
  });
});

describe('properties', () => {
  const anyFacts = fc.record({
    cluster: fc.constantFrom('prod', 'staging'),
    namespace: fc.constantFrom('payments', 'kube-system'),
    serviceAccount: fc.constant('api'),
    tokenKind: fc.constantFrom('legacy' as const, 'unbound' as const),
    source: fc.constantFrom('gitguardian', 'falco'),
    severity: fc.constantFrom('high' as const, 'unknown' as const),
    labels: fc.option(fc.constantFrom({ team: 'a' } as Record<string, string>, {}), { nil: undefined }),
    tier: fc.option(fc.constantFrom('severe' as const, 'low' as const, 'unknown' as const), {
      nil: undefined,
    }),
  });
  const anyMatch = fc.record(
    {
      cluster: fc.constantFrom<string[]>(['prod'], ['*']),
      namespace: fc.constantFrom<string[]>(['payments'], ['kube-*']),
      labels: fc.constant<Record<string, string>>({ team: 'a' }),
      tier: fc.constantFrom<('severe' | 'low' | 'unknown')[]>(['severe'], ['low', 'unknown']),
      source: fc.constantFrom<string[]>(['falco'], ['*']),
    },
    { requiredKeys: [] },
  );
  const anyDecision = fc.oneof(
    fc.constant('auto' as const),
    fc.constant('never' as const),
    fc.record({ approvals: fc.integer({ min: 1, max: 3 }) }),
  );
  const anyPolicy = fc
    .array(
      fc.record({
        match: anyMatch,
        do: fc.dictionary(fc.constantFrom('contain', 'revoke', 'any'), anyDecision),
      }),
      { maxLength: 4 },
    )
    .map((rules) =>
      aPolicy({ rules: rules.map((rule, i) => ({ name: `r${i}`, ...rule })), lowTrustSources: ['falco'] }),
    );
  const deeds = fc.constantFrom(contain, del);
  const rank = (needed: ReturnType<typeof requirementFor>): number =>
    ({ auto: 0, approve: 1, never: 9 })[needed.kind] +
    (needed.kind === 'approve' ? Math.max(...needed.asks.map(({ approvals }) => approvals)) : 0);

  it('learning a fact never makes it stricter than it was in ignorance', () => {
    fc.assert(
      fc.property(anyPolicy, deeds, anyFacts, (policy, deed, known) => {
        const ignorant = { ...known, labels: undefined, tier: undefined };
        const learnt = { ...known, labels: known.labels ?? {}, tier: known.tier ?? 'unknown' };
        const [before, after] = [ignorant, learnt].map((given) =>
          rank(requirementFor(policy, deed, given as Facts)),
        );
        expect(before).toBeGreaterThanOrEqual(after ?? 99);
      }),
    );
  });

  it('what cannot be undone, what is protected and what nobody vouches for never runs by itself', () => {
    fc.assert(
      fc.property(anyPolicy, anyFacts, (policy, given) => {
        expect(requirementFor(policy, del, given).kind).not.toBe('auto');
        expect(requirementFor(policy, contain, { ...given, namespace: 'kube-system' }).kind).not.toBe('auto');
      }),
    );
  });

  it('a plan is forbidden exactly when one of its steps is', () => {
    fc.assert(
      fc.property(anyPolicy, anyFacts, (policy, given) => {
        const never = [quarantine, remove].some(
          (step) => requirementFor(policy, step, given).kind === 'never',
        );
        expect(requirementForPlan(policy, [quarantine, remove], () => given).kind).toBe(
          never ? 'never' : 'approve',
        );
      }),
    );
  });

  it('maybe is said only of what is unknown', () => {
    fc.assert(
      fc.property(anyMatch, anyFacts, (match, given) => {
        const known = { ...given, labels: given.labels ?? {}, tier: given.tier ?? ('unknown' as const) };
        expect(matches(match, known)).not.toBe('maybe');
      }),
    );
  });

  it('no text makes a glob fail, and a star takes everything', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (glob, text) => {
        expect(typeof globFits(glob, text)).toBe('boolean');
        expect(globFits('*', text.replaceAll(/[\n\r\u2028\u2029]/g, ''))).toBe(true);
      }),
    );
  });
});

describe('the version', () => {
  it('is the same for the same rules in another notation, and another for other rules or people', () => {
    const policy = aPolicy(one({ name: 'a', match: {}, do: { any: 'never', contain: 'auto' } }));
    expect(aPolicy(one({ do: { contain: 'auto', any: 'never' }, name: 'a' })).version).toBe(policy.version);
    expect(aPolicy(one({ name: 'a', do: { any: 'never' } })).version).not.toBe(policy.version);
    const people = { responders: [], approvers: ['UELSE00001'] };
    expect(aPolicy({}, { people }).version).not.toBe(aPolicy().version);
  });
});

describe('words', () => {
  it.each<[Deed, PolicyInput, RegExp]>([
    [contain, one(AUTO), /runs by itself where the alert carried the token/],
    [contain, { ...one(AUTO), automatic: { mode: 'dry-run' } }, /would only be said, as this is a dry run/],
    [
      del,
      one({ name: 'sec', do: { any: { approvals: 2, from: ['S0SEC'], expiry: '30m', reason: true } } }),
      /needs 2 of @S0SEC, not the reporter, each with a reason; the plan expires after 30 min \(rule "sec"/,
    ],
    [recreate, one({ name: 'a', do: { revoke: 'never' } }), /never, whoever approves/],
  ])('explain %o', (deed, section, expected) => {
    const policy = aPolicy(section);
    expect(explain(policy, deed, facts(), requirementFor(policy, deed, facts()))).toMatch(expected);
  });

  const known = { deeds: [contain, del, recreate], clusters: ['prod'] };
  it.each<[string, PolicyInput, RegExp | undefined]>([
    [
      'a rule behind one that fits everything',
      { rules: [AUTO, { name: 'b', do: {} }] },
      /"b": it never decides: the rule "r"/,
    ],
    [
      'a name twice',
      { rules: [{ ...AUTO, match: { cluster: ['prod'] } }, AUTO] },
      /another rule has this name/,
    ],
    ['auto for what cannot be undone', one({ name: 'a', do: { revoke: 'auto' } }), /revoke cannot be undone/],
    [
      'more approvals than people',
      one({ name: 'a', do: { any: { approvals: 2 } } }),
      /needs 2 approvals and names 2 people, one of whom may be the reporter/,
    ],
    [
      'as many as there are people',
      one({ name: 'a', do: { any: { approvals: 2, excludeRequester: false } } }),
      undefined,
    ],
    [
      'a group may have any number',
      one({ name: 'a', do: { any: { approvals: 5, from: ['S0SEC'] } } }),
      undefined,
    ],
    [
      'a cluster that does not exist',
      one({ ...AUTO, match: { cluster: ['pord'] } }),
      /no configured cluster is called pord/,
    ],
    ['nothing', {}, undefined],
  ])('doubts about %s', (_name, section, expected) => {
    const doubts = policyDoubts(aPolicy(section), known);
    if (expected === undefined) expect(doubts).toEqual([]);
    else expect(doubts).toContainEqual(expect.stringMatching(expected));
  });

  it('a typing error in the name of an action is found', () => {
    const section = policySchema.parse(
      one({ name: 'a', do: { 'delete-token-secrt': 'never', contain: 'auto' } }),
    );
    expect(unknownDeeds(section, ['contain', 'delete-token-secret'])).toEqual([
      { rule: 0, key: 'delete-token-secrt' },
    ]);
  });
});
