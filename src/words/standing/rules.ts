// The policy in plain sentences, for the command line and for people who were refused.
import { inWords } from '../../domain/duration.ts';
import type { Facts } from '../../domain/rules/match.ts';
import { isGroup } from '../../domain/rules/named.ts';
import type { Ask, Deed, Policy, Requirement } from '../../domain/rules/policy.ts';

/** "2 of approvers, not the reporter". */
export function askWords(
  policy: Pick<Policy, 'groups'>,
  { approvals, from, excludeRequester, reason, group }: Ask,
): string {
  const who = from.map((one) => (isGroup(policy, one) ? `@${one}` : one)).join(' or ');
  const number = approvals === 1 ? `one of ${who}` : `${approvals} of ${who}`;
  return `${number}${excludeRequester ? ', not the reporter' : ''}${reason ? ', each with a reason' : ''}${group ? ', also together with others' : ''}`;
}

/** One sentence: what would happen, who must say so, by when, and which rule says it. */
export function explain(policy: Policy, deed: Deed, facts: Facts, requirement: Requirement): string {
  const on = `${deed.action} on ${facts.cluster}/${facts.namespace}/${facts.serviceAccount}`;
  const rules = requirement.kind === 'never' ? [] : requirement.asks.map((ask) => ask.rule);
  const names = [...new Set([requirement.rule, ...rules])].map((name) => `"${name}"`);
  const rule = `(${names.length > 1 ? 'rules' : 'rule'} ${names.join(' and ')}, policy ${policy.version})`;
  if (requirement.kind === 'never') return `${on}: never, whoever approves ${rule}.`;
  const asks = requirement.asks.map((ask) => askWords(policy, ask)).join(', and ');
  if (requirement.kind === 'auto') {
    const how =
      policy.automatic.mode === 'dry-run' ? 'would only be said, as this is a dry run' : 'runs by itself';
    return `${on}: ${how} where the alert carried the token, within the budgets; otherwise it needs ${asks} ${rule}.`;
  }
  const guarded = policy.protectedNamespaces.includes(facts.namespace)
    ? `; the namespace ${facts.namespace} is protected`
    : '';
  return `${on}: needs ${asks}; the plan expires after ${inWords(requirement.asks[0]?.expiry ?? policy.approvalExpiry)}${guarded} ${rule}.`;
}
