// Who must still approve, in words with mentions: for the card, the thread and the message that reminds.

import { asksAt, neededFor, votesAt } from '../../domain/decision/needed.ts';
import { requesters } from '../../domain/incident/asked.ts';
import type { Verb } from '../../domain/incident/decision.ts';
import { goesOn } from '../../domain/incident/going-on.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { type NamedPiece, named, namedBy } from '../../domain/rules/named.ts';
import { type Ask, DEFAULT_RULE, type Policy } from '../../domain/rules/policy.ts';
import { CHAT, joined, people, strong, type Text, text } from '../../domain/text/pieces.ts';
import { plain } from '../pieces/plain.ts';

const SHOWN = 12;

/** Members by group; a group that is missing was not asked about, one without members the chat did not tell. */
export type Groups = Readonly<Record<string, readonly string[] | undefined>>;

/** One sentence part for each rule that asks; what the policy never allows says so. */
export function asksText(incident: Incident, verb: Verb, policy: Policy, groups: Groups = {}): Text[] {
  const voting = verb === 'contain' ? 'contain' : 'approve';
  const needed = neededFor(incident, voting, policy);
  if (!goesOn(verb) && needed.kind === 'never')
    return [
      text`nobody: the policy never allows "${plain(needed.step.title)}" (rule "${plain(needed.rule, 60)}")`,
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
): Text {
  const asked = ask.excludeRequester ? requesters(incident) : [];
  const { users, groups } = namedBy(policy, ask.from);
  const everybody = [...new Set([...users, ...groups.flatMap((group) => known[group] ?? [])])];
  const others = everybody.filter((id) => !asked.includes(id));
  const excluded = everybody.filter((id) => asked.includes(id));
  const silent = groups.filter((group) => known[group] === undefined);
  if (silent.length === 0 && others.length < ask.approvals) return nobody(ask, others.length, excluded);
  const number = ask.approvals === 1 ? '' : text`${ask.approvals} of `;
  const who = anyOf(named(policy, ask.from, [...asked, ...given]));
  const not = excluded.length > 0 ? text` (not ${people(excluded)}, who asked for it)` : '';
  const rule = ask.rule === DEFAULT_RULE ? '' : text` (rule "${plain(ask.rule, 60)}")`;
  const unsure = silent.some((group) => group in known)
    ? text`; ${CHAT} does not say who is in the group, and until it does nobody in it can approve`
    : '';
  return text`${number}${who}${not}${ask.reason ? ', with a reason' : ''}${rule}${unsure}`;
}

/** Said when the card is posted, and not when it is needed. */
function nobody({ approvals, rule }: Ask, left: number, excluded: readonly string[]): Text {
  if (left === 0 && excluded.length > 0)
    return text`${strong`nobody can approve this:`} the only approvers asked for it. Add an approver to the configuration`;
  return text`${strong`nobody can approve this:`} the rule "${plain(rule, 60)}" needs ${approvals} and names ${left} who may. Add people to it`;
}

/** One of them is enough. */
function anyOf(all: readonly NamedPiece[]): Text {
  const shown = all.slice(0, SHOWN);
  const more = all.length - shown.length;
  if (more > 0) return text`${joined(shown, ', ')} or one of ${more} more`;
  const last = shown.at(-1) ?? '';
  return shown.length > 1 ? text`${joined(shown.slice(0, -1), ', ')} or ${last}` : text`${last}`;
}
