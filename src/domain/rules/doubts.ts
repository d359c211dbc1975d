// What a valid policy says that its author can hardly mean: rules that never decide, approvals that nobody can give.
import { globFits } from './match.ts';
import { namedBy } from './named.ts';
import type { Deed, Policy } from './policy.ts';
import type { PolicyRule } from './schema.ts';

export interface KnownNames {
  deeds: readonly Deed[];
  clusters: readonly string[];
}

/** Sentences, none of which keeps the policy from being used. */
export function policyDoubts(policy: Policy, known: KnownNames): string[] {
  const missing = shortages(policy, (from) => {
    const { users, groups } = namedBy(policy, from);
    return groups.length > 0 ? undefined : users.length;
  });
  return [...ruleDoubts(policy, known), ...missing.map(tellShortage)];
}

/** Without those about people. */
export function ruleDoubts(policy: Policy, known: KnownNames): string[] {
  return policy.rules.flatMap((rule, index) =>
    [
      shadowed(policy.rules.slice(0, index), rule),
      ...finalAuto(rule, known.deeds),
      ...noCluster(rule, known.clusters),
    ].flatMap((doubt) => (doubt === undefined ? [] : [`rule "${rule.name}": ${doubt}`])),
  );
}

/** An approval that too few people can give. */
export interface Shortage {
  rule: string;
  /** Action, phase or `any`. */
  deed: string;
  approvals: number;
  /** Who asked for the incident does not count. */
  excludeRequester: boolean;
  people: number;
}

/** `count`: how many can approve; undefined: not known, so nothing is said. */
export const shortages = (
  policy: Policy,
  count: (from: readonly string[]) => number | undefined,
): Shortage[] =>
  policy.rules.flatMap((rule) =>
    Object.entries(rule.do).flatMap(([deed, decision]) => {
      if (typeof decision === 'string') return [];
      const { approvals, excludeRequester, from } = decision;
      const people = count(from);
      const needed = approvals + (excludeRequester ? 1 : 0);
      if (people === undefined || people >= needed) return [];
      return [{ rule: rule.name, deed, approvals, excludeRequester, people }];
    }),
  );

const tellShortage = ({ rule, deed, approvals, excludeRequester, people }: Shortage): string =>
  `rule "${rule}": ${deed} needs ${approvals} approvals and names ${people} ${people === 1 ? 'person' : 'people'}${excludeRequester ? ', one of whom may be the reporter' : ''}: name more.`;

/** The default at the end is always the last, so only what was written can be covered. */
function shadowed(earlier: readonly PolicyRule[], { name }: PolicyRule): string | undefined {
  const all = earlier.find(({ match }) => Object.keys(match).length === 0);
  if (earlier.some((rule) => rule.name === name)) return 'another rule has this name; give each its own.';
  return all && name !== 'default'
    ? `it never decides: the rule "${all.name}" before it fits everything. Move it up.`
    : undefined;
}

const finalAuto = ({ do: deeds }: PolicyRule, known: readonly Deed[]): string[] =>
  Object.entries(deeds).flatMap(([key, decision]) => {
    const final = known.filter(
      ({ action, phase, reversible }) => !reversible && [action, phase].includes(key),
    );
    return decision === 'auto' && final.length > 0
      ? [`${key} cannot be undone, so it never runs by itself: auto means one approver here.`]
      : [];
  });

const noCluster = ({ match }: PolicyRule, clusters: readonly string[]): string[] =>
  (match.cluster ?? []).flatMap((glob) =>
    clusters.some((name) => globFits(glob, name)) ? [] : [`no configured cluster is called ${glob}.`],
  );
