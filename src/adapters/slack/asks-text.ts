// Who must still approve, in words with mentions: for the card, the thread and the message that reminds.

import type { Verb } from '../../domain/decision.ts';
import { goesOn } from '../../domain/going-on.ts';
import type { Incident } from '../../domain/incident.ts';
import { asksAt, mentions, neededFor, votesAt } from '../../domain/needed.ts';
import { type Ask, DEFAULT_RULE, type Policy } from '../../domain/policy.ts';
import { namedBy, requesters } from '../../domain/votes.ts';
import { clean, people } from './mrkdwn.ts';

const SHOWN = 12;

/** Members by group; a group that is missing was not asked about, one without members Slack did not tell. */
export type Groups = Readonly<Record<string, readonly string[] | undefined>>;

/** One sentence part for each rule that asks; what the policy never allows says so. */
export function asksText(incident: Incident, verb: Verb, policy: Policy, groups: Groups = {}): string[] {
  const voting = verb === 'contain' ? 'contain' : 'approve';
  const needed = neededFor(incident, voting, policy);
  if (!goesOn(verb) && needed.kind === 'never')
    return [
      `nobody: the policy never allows "${clean(needed.step.title)}" (rule "${clean(needed.rule, 60)}")`,
    ];
  const hash = verb === 'contain' ? incident.plan?.containHash : incident.plan?.hash;
  const given = votesAt(incident, verb, hash).map(({ by }) => by);
  const now = Date.parse(incident.updatedAt);
  return asksAt(incident, verb, policy, now).map((ask) => askText(incident, ask, policy, given, groups));
}

function askText(
  incident: Incident,
  ask: Ask,
  policy: Policy,
  given: readonly string[],
  known: Groups,
): string {
  const asked = ask.excludeRequester ? requesters(incident) : [];
  const { users, groups } = namedBy(policy, ask.from);
  const everybody = [...new Set([...users, ...groups.flatMap((group) => known[group] ?? [])])];
  const others = everybody.filter((id) => !asked.includes(id));
  const excluded = everybody.filter((id) => asked.includes(id));
  const silent = groups.filter((group) => known[group] === undefined);
  if (silent.length === 0 && others.length < ask.approvals) return nobody(ask, others.length, excluded);
  const number = ask.approvals === 1 ? '' : `${ask.approvals} of `;
  const who = some(mentions(policy, ask.from, [...asked, ...given]));
  const not = excluded.length > 0 ? ` (not ${people(excluded)}, who asked for it)` : '';
  const rule = ask.rule === DEFAULT_RULE ? '' : ` (rule "${clean(ask.rule, 60)}")`;
  const unsure = silent.some((group) => group in known)
    ? '; Slack does not say who is in the group, and until it does nobody in it can approve'
    : '';
  return `${number}${who}${not}${ask.reason ? ', with a reason' : ''}${rule}${unsure}`;
}

/** Said when the card is posted, and not when it is needed. */
function nobody({ approvals, rule }: Ask, left: number, excluded: readonly string[]): string {
  if (left === 0 && excluded.length > 0)
    return '*nobody can approve this:* the only approvers asked for it. Add an approver to the configuration';
  return `*nobody can approve this:* the rule "${clean(rule, 60)}" needs ${approvals} and names ${left} who may. Add people to it`;
}

function some(list: string): string {
  const all = list.split(', ').filter((one) => one !== '');
  const shown = all.slice(0, SHOWN);
  const more = all.length - shown.length;
  const [last = '', ...rest] = shown.toReversed();
  const words = rest.length === 0 ? last : `${rest.toReversed().join(', ')} or ${last}`;
  return more > 0 ? `${shown.join(', ')} or one of ${more} more` : words;
}
