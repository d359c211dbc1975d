// What a valid policy says that its author can hardly mean: rules that never decide, approvals that nobody can give.
import type { Deed, Policy } from './policy.ts';
import { globFits } from './policy-match.ts';
import type { PolicyRule } from './policy-schema.ts';
import { namedBy } from './votes.ts';

export interface Known {
  deeds: readonly Deed[];
  clusters: readonly string[];
}

/** Sentences, none of which keeps the policy from being used. */
export function policyDoubts(policy: Policy, known: Known): string[] {
  return policy.rules.flatMap((rule, index) =>
    [
      shadowed(policy.rules.slice(0, index), rule),
      ...finalAuto(rule, known.deeds),
      ...unapprovable(policy, rule),
      ...noCluster(rule, known.clusters),
    ].flatMap((doubt) => (doubt === undefined ? [] : [`rule "${rule.name}": ${doubt}`])),
  );
}

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

const unapprovable = (policy: Policy, { do: deeds }: PolicyRule): string[] =>
  Object.entries(deeds).flatMap(([key, decision]) => {
    if (typeof decision === 'string') return [];
    const { users, groups } = namedBy(policy, decision.from);
    const spare = decision.excludeRequester ? 1 : 0;
    if (groups.length > 0 || users.length >= decision.approvals + spare) return [];
    return [
      `${key} needs ${decision.approvals} approvals and names ${users.length} ${users.length === 1 ? 'person' : 'people'}${spare ? ', one of whom may be the reporter' : ''}: name more.`,
    ];
  });

const noCluster = ({ match }: PolicyRule, clusters: readonly string[]): string[] =>
  (match.cluster ?? []).flatMap((glob) =>
    clusters.some((name) => globFits(glob, name)) ? [] : [`no configured cluster is called ${glob}.`],
  );
