// What each step needs before it may run: the first rule that fits decides, and a careful default decides everything else. Pure.
import { createHash } from 'node:crypto';
import type { Step } from './plan.ts';
import { type Facts, globFits, matches } from './policy-match.ts';
import type { PolicyDecision, PolicyRule, PolicySection } from './policy-schema.ts';

/** What an approval needs. */
export interface Ask {
  /** Different people. */
  approvals: number;
  /** `approvers`, `responders`, Slack user ids and ids of user groups. */
  from: readonly string[];
  excludeRequester: boolean;
  /** Milliseconds. */
  expiry: number;
  reason: boolean;
  /** Counts an approval that was given for many incidents at once. */
  group: boolean;
  /** Name of the rule that asks. */
  rule: string;
}

export type Requirement =
  | { kind: 'never'; rule: string }
  /** `ask`: what a person's approval needs, where a guard keeps it from running by itself. */
  | { kind: 'auto'; rule: string; ask: Ask }
  /** `guard`: what keeps an `auto` of the rule from being one. */
  | { kind: 'approve'; rule: string; ask: Ask; guard?: Guard };

export type Guard = 'protected-namespace' | 'low-trust-source' | 'cannot-be-undone';

export interface Policy extends PolicySection {
  /** Short hash of everything that decides. */
  version: string;
  people: { responders: string[]; approvers: string[] };
  protectedNamespaces: string[];
  approvalExpiry: number;
}

export interface PolicyGiven {
  section: PolicySection;
  people: Policy['people'];
  protectedNamespaces: string[];
  approvalExpiry: number;
  autoContain: 'off' | 'token-in-hand';
}

export const DEFAULT_RULE = 'default';
const PROTECTED_APPROVALS = 2;

/** The rules as written, then the default: responders contain, an approver who did not ask for it approves the rest. */
export function createPolicy({ section, autoContain, ...given }: PolicyGiven): Policy {
  const quarantine = {
    approvals: 1,
    from: ['responders', 'approvers'],
    excludeRequester: false,
    reason: false,
    group: false,
  };
  const approval = { approvals: 1, from: ['approvers'], excludeRequester: true, reason: false, group: false };
  const fallback: PolicyRule = {
    name: DEFAULT_RULE,
    match: {},
    do: { contain: autoContain === 'off' ? quarantine : 'auto', any: approval },
  };
  const policy = { ...section, ...given, rules: [...section.rules, fallback] };
  return { ...policy, version: versionOf(policy) };
}

const versionOf = (policy: object): string =>
  createHash('sha256')
    .update(JSON.stringify(canonical(policy)))
    .digest('hex')
    .slice(0, 12);

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, inner]) => [key, canonical(inner)]);
}

export type Deed = Pick<Step, 'action' | 'phase' | 'reversible'>;

/** Where a fact that a rule looks at is not known, the strictest of the rules that may fit decides. */
export function requirementFor(policy: Policy, deed: Deed, facts: Facts): Requirement {
  const answers = policy.rules.map((rule) => [rule, matches(rule.match, facts)] as const);
  const first = answers.findIndex(([, answer]) => answer === 'yes');
  const candidates = answers.slice(0, first + 1).filter(([, answer]) => answer !== 'no');
  return candidates.map(([rule]) => decidedBy(policy, rule, deed, facts)).reduce(stricter);
}

/** What a rule does not speak of is left to the default. */
function decidedBy(policy: Policy, matched: PolicyRule, deed: Deed, facts: Facts): Requirement {
  const rule = lookUp(matched, deed) === undefined ? defaultRule(policy) : matched;
  const decision = lookUp(rule, deed);
  if (decision === undefined || decision === 'never') return { kind: 'never', rule: rule.name };
  const guard = guardOf(policy, rule, deed, facts);
  const ask = askOf(policy, rule.name, decision, deed);
  if (decision === 'auto' && guard === undefined) return { kind: 'auto', rule: rule.name, ask };
  const approvals =
    guard === 'protected-namespace' ? Math.max(PROTECTED_APPROVALS, ask.approvals) : ask.approvals;
  const why = decision === 'auto' && guard !== undefined ? { guard } : {};
  return { kind: 'approve', rule: rule.name, ask: { ...ask, approvals }, ...why };
}

function guardOf(policy: Policy, rule: PolicyRule, deed: Deed, facts: Facts): Guard | undefined {
  if (policy.protectedNamespaces.includes(facts.namespace)) return 'protected-namespace';
  if (!deed.reversible) return 'cannot-be-undone';
  return trusted(policy, rule, facts) ? undefined : 'low-trust-source';
}

const defaultRule = ({ rules }: Policy): PolicyRule => rules.at(-1) as PolicyRule;

const lookUp = (rule: PolicyRule, { action, phase }: Deed): PolicyDecision | undefined =>
  rule.do[action] ?? rule.do[phase] ?? rule.do.any;

function askOf(policy: Policy, rule: string, decision: PolicyDecision, { reversible }: Deed): Ask {
  const expiry = policy.approvalExpiry;
  if (typeof decision !== 'string') return { ...decision, expiry: decision.expiry ?? expiry, rule };
  const from = reversible ? ['responders', 'approvers'] : ['approvers'];
  return { approvals: 1, from, excludeRequester: !reversible, expiry, reason: false, group: false, rule };
}

/** A source of low trust starts something only where a rule says its very name. */
const trusted = ({ lowTrustSources }: Policy, { match }: PolicyRule, { source }: Facts): boolean =>
  !lowTrustSources.some((glob) => globFits(glob, source)) || (match.source?.includes(source) ?? false);

const RANK = { auto: 0, approve: 1, never: 2 } as const;

function stricter(a: Requirement, b: Requirement): Requirement {
  if (RANK[a.kind] !== RANK[b.kind]) return RANK[a.kind] > RANK[b.kind] ? a : b;
  if (a.kind === 'never' || b.kind === 'never') return a;
  const stricter = b.ask.approvals > a.ask.approvals ? b : a;
  return { ...stricter, ask: { ...stricter.ask, group: a.ask.group && b.ask.group } };
}

export type PlanRequirement =
  | { kind: 'never'; rule: string; step: Step }
  /** Every ask that no other ask includes, and how long the most impatient step waits. */
  | { kind: 'approve'; asks: Ask[]; expiry: number };

export function requirementForPlan(
  policy: Policy,
  steps: readonly Step[],
  factsFor: (cluster: string) => Facts | undefined,
): PlanRequirement {
  const asks: Ask[] = [];
  const spare: Ask[] = [];
  for (const step of steps) {
    const facts = factsFor(step.cluster);
    if (facts === undefined) return { kind: 'never', rule: DEFAULT_RULE, step };
    const requirement = requirementFor(policy, step, facts);
    if (requirement.kind === 'never') return { kind: 'never', rule: requirement.rule, step };
    (requirement.kind === 'auto' ? spare : asks).push(requirement.ask);
  }
  // What may run by itself needs nobody more, where somebody is asked for the rest.
  const needed = asks.length > 0 ? asks : spare;
  const expiry = needed.length > 0 ? Math.min(...needed.map((ask) => ask.expiry)) : policy.approvalExpiry;
  return { kind: 'approve', asks: strictest(needed), expiry };
}

/** Whoever satisfies `b` satisfies `a`. */
const includedIn = (a: Ask, b: Ask): boolean =>
  b.approvals >= a.approvals &&
  b.from.every((who) => a.from.includes(who)) &&
  (b.excludeRequester || !a.excludeRequester) &&
  (b.reason || !a.reason) &&
  (a.group || !b.group);

const strictest = (asks: readonly Ask[]): Ask[] =>
  asks.filter(
    (ask, index) =>
      !asks.some(
        (other, at) => at !== index && includedIn(ask, other) && (at < index || !includedIn(other, ask)),
      ),
  );

/** Keys of `do` that name nothing: a typing error there would silently lift a prohibition. */
export function unknownDeeds(
  section: PolicySection,
  known: readonly string[],
): { rule: number; key: string }[] {
  return section.rules.flatMap(({ do: deeds }, rule) =>
    Object.keys(deeds).flatMap((key) => (known.includes(key) ? [] : [{ rule, key }])),
  );
}
