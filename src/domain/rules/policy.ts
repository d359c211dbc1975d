// What each step needs before it may run: the first rule that fits decides, and a careful default decides everything else. Pure.
import { createHash } from 'node:crypto';
import type { Step } from '../plan/plan.ts';
import { type Facts, globFits, matches } from './match.ts';
import type { PolicyDecision, PolicyRule, PolicySection } from './schema.ts';

/** What an approval needs. */
export interface Ask {
  /** Different people. */
  approvals: number;
  /** `approvers`, `responders`, ids of people and ids of user groups. */
  from: readonly string[];
  excludeRequester: boolean;
  /** Milliseconds for which the plan waits, and for which an approval counts. */
  expiry: number;
  reason: boolean;
  /** Counts an approval that was given for many incidents at once. */
  group: boolean;
  /** Name of the rule that asks. */
  rule: string;
}

export type Requirement =
  | { kind: 'never'; rule: string }
  /** `asks`: what approvals it needs, where a guard keeps it from running by itself. */
  | { kind: 'auto'; rule: string; asks: Ask[] }
  /** Each of `asks`; several where it is not known which rule fits. `guard`: what keeps an `auto` from being one. */
  | { kind: 'approve'; rule: string; asks: Ask[]; guard?: Guard };

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
  // Which ids are groups follows from the rest.
  const { groups: _, ...deciding } = policy;
  return { ...policy, version: versionOf(deciding) };
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

/** Where a fact that a rule looks at is not known, it needs what each of the rules that may fit asks for. */
export function requirementFor(policy: Policy, deed: Deed, facts: Facts): Requirement {
  const answers = policy.rules.map((rule) => [rule, matches(rule.match, facts)] as const);
  const first = answers.findIndex(([, answer]) => answer === 'yes');
  const candidates = answers.slice(0, first + 1).filter(([, answer]) => answer !== 'no');
  return strictestOf(candidates.map(([rule]) => decidedBy(policy, rule, deed, facts)));
}

/** What a rule does not speak of is left to the default. */
function decidedBy(policy: Policy, matched: PolicyRule, deed: Deed, facts: Facts): Requirement {
  const rule = lookUp(matched, deed) === undefined ? defaultRule(policy) : matched;
  const decision = lookUp(rule, deed);
  if (decision === undefined || decision === 'never') return { kind: 'never', rule: rule.name };
  const guard = guardOf(policy, rule, deed, facts);
  const ask = askOf(policy, rule.name, decision, deed);
  if (decision === 'auto' && guard === undefined) return { kind: 'auto', rule: rule.name, asks: [ask] };
  const approvals =
    guard === 'protected-namespace' ? Math.max(PROTECTED_APPROVALS, ask.approvals) : ask.approvals;
  const why = decision === 'auto' && guard !== undefined ? { guard } : {};
  return { kind: 'approve', rule: rule.name, asks: [{ ...ask, approvals }], ...why };
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

type Approval = Extract<Requirement, { kind: 'approve' }>;

/** Whatever satisfies it satisfies each of them. */
function strictestOf(all: readonly Requirement[]): Requirement {
  const never = all.find(({ kind }) => kind === 'never');
  if (never) return never;
  const asked = all.filter((one): one is Approval => one.kind === 'approve');
  const deciding = asked.length > 0 ? asked : all;
  const asks = strictest(deciding.flatMap((one) => (one.kind === 'never' ? [] : one.asks)));
  const rule = asks[0]?.rule ?? DEFAULT_RULE;
  if (asked.length === 0) return { kind: 'auto', rule, asks };
  // One that wants people asked wants it whatever keeps the others from being automatic.
  const guard = asked.every((one) => one.guard) ? asked[0]?.guard : undefined;
  return { kind: 'approve', rule, asks, ...(guard && { guard }) };
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
  const allowed: Allowed[] = [];
  for (const step of steps) {
    const facts = factsFor(step.cluster);
    if (facts === undefined) return { kind: 'never', rule: DEFAULT_RULE, step };
    const requirement = requirementFor(policy, step, facts);
    if (requirement.kind === 'never') return { kind: 'never', rule: requirement.rule, step };
    allowed.push(requirement);
  }
  const asks = asksTogether(allowed);
  return { kind: 'approve', asks, expiry: asks[0]?.expiry ?? policy.approvalExpiry };
}

export type Allowed = Exclude<Requirement, { kind: 'never' }>;

/** Every ask that no other includes. What may run by itself needs nobody more, where somebody is asked for the rest. */
export function asksTogether(allowed: readonly Allowed[]): Ask[] {
  const asksOf = (kind: Allowed['kind']) => allowed.flatMap((one) => (one.kind === kind ? one.asks : []));
  const asked = asksOf('approve');
  return strictest(asked.length > 0 ? asked : asksOf('auto'));
}

/** Whoever satisfies `b` satisfies `a`. */
const includedIn = (a: Ask, b: Ask): boolean =>
  b.approvals >= a.approvals &&
  b.from.every((who) => a.from.includes(who)) &&
  (b.excludeRequester || !a.excludeRequester) &&
  (b.reason || !a.reason) &&
  (a.group || !b.group);

/** Every ask that no other includes, each for as long as the most impatient. */
export function strictest(asks: readonly Ask[]): Ask[] {
  const expiry = Math.min(...asks.map((ask) => ask.expiry));
  const left = asks.filter(
    (ask, index) =>
      !asks.some(
        (other, at) => at !== index && includedIn(ask, other) && (at < index || !includedIn(other, ask)),
      ),
  );
  return left.map((ask) => ({ ...ask, expiry }));
}

/** Keys of `do` that name nothing: a typing error there would silently lift a prohibition. */
export function unknownDeeds(
  section: PolicySection,
  known: readonly string[],
): { rule: number; key: string }[] {
  return section.rules.flatMap(({ do: deeds }, rule) =>
    Object.keys(deeds).flatMap((key) => (known.includes(key) ? [] : [{ rule, key }])),
  );
}
