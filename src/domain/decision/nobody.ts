// Whether anybody can approve at all what is planned. Pure.
import { requesters } from '../incident/asked.ts';
import type { Incident } from '../incident/incident.ts';
import { pendingSteps } from '../incident/runs.ts';
import { namedBy } from '../rules/named.ts';
import type { Policy } from '../rules/policy.ts';
import { asksFor } from './needed.ts';

/**
 * Why nobody can approve what is planned, by the lists of the configuration; undefined where somebody can. Who is in a
 * user group only Slack knows, so a group whose members are not listed counts as enough people.
 */
export function whyNobody(incident: Incident, policy: Policy): string | undefined {
  if (pendingSteps(incident).length === 0) return undefined;
  const asked = requesters(incident);
  for (const { approvals, from, excludeRequester, rule } of asksFor(incident, 'approve', policy)) {
    const { users, groups } = namedBy(policy, from);
    const left = users.filter((id) => !(excludeRequester && asked.includes(id))).length;
    if (groups.length === 0 && left < approvals)
      return `Nobody can approve the plan: the rule "${rule}" needs ${approvals} and ${left} of those whom it names may.`;
  }
  return undefined;
}
