// Whom the rules name: people and user groups, by id, and the lists of the configuration.

import type { Text } from '../text/pieces.ts';
import { joined } from '../text/pieces.ts';
import type { Policy } from './policy.ts';

/** Somebody who approves: their id in the chat, and the user groups that the chat said they are in when they clicked. */
export interface Voter {
  id: string;
  groups: readonly string[];
}

/** Which ids are those of groups the configuration says; how an id is spelled is the business of each chat. */
export const isGroup = ({ groups }: Pick<Policy, 'groups'>, who: string): boolean => groups.includes(who);

/** Every user group that could ever matter, to be asked for at a click. */
export const groupsOf = (policy: Policy): string[] => {
  const asked = policy.rules.flatMap(({ do: deeds }) =>
    Object.values(deeds).flatMap((decision) => (typeof decision === 'string' ? [] : decision.from)),
  );
  return [...new Set([...asked, ...policy.breakGlass].filter((who) => isGroup(policy, who)))];
};

/** A group with members in the configuration counts only for those, whatever was recorded. */
export function isNamed(policy: Policy, from: readonly string[], voter: Voter): boolean {
  const { people, groupMembers } = policy;
  return from.some((who) => {
    if (who === 'approvers' || who === 'responders') return people[who].includes(voter.id);
    if (!isGroup(policy, who)) return who === voter.id;
    return voter.groups.includes(who) && (groupMembers[who]?.includes(voter.id) ?? true);
  });
}

/** Ids of people, as far as the configuration knows them, and of groups whose members only the chat knows. */
export function namedBy(policy: Policy, from: readonly string[]): { users: string[]; groups: string[] } {
  const { people, groupMembers } = policy;
  const users = from.flatMap((who) => {
    if (who === 'approvers' || who === 'responders') return people[who];
    return isGroup(policy, who) ? (groupMembers[who] ?? []) : [who];
  });
  return {
    users: [...new Set(users)],
    groups: from.filter((who) => isGroup(policy, who) && !groupMembers[who]),
  };
}

/** The people and user groups that these words stand for, groups first. */
export function named(policy: Policy, from: readonly string[], not: readonly string[] = []): NamedPiece[] {
  const { users, groups } = namedBy(policy, from);
  const left = users.filter((id) => !not.includes(id));
  return [...groups.map((group) => ({ group })), ...left.map((person) => ({ person }))];
}

export type NamedPiece = { person: string } | { group: string };

/** The same in a sentence; empty where nobody is left. */
export const mentions = (policy: Policy, from: readonly string[], not: readonly string[] = []): Text =>
  joined(named(policy, from, not), ', ');
