// People: does everybody whom the configuration names exist and count, and are there enough of them for each approval?
import type { SlackInspection } from '../../adapters/slack/connection/inspection.ts';
import { broken, type Diagnosis, fine, notChecked, warning } from '../../config/diagnosis.ts';
import type { Person } from '../../domain/decision/click.ts';
import { type Shortage, shortages } from '../../domain/rules/doubts.ts';
import { groupsOf, isGroup, namedBy } from '../../domain/rules/named.ts';
import type { Policy } from '../../domain/rules/policy.ts';
import { isAppError } from '../../errors.ts';
import { failed, type Given, plural } from './check.ts';
import { policyIn } from './policy.ts';

const LATER = 'Try again in a minute.';

export async function checkPeople(
  inspection: SlackInspection,
  { reading }: Given,
  teamId: string,
): Promise<Diagnosis[]> {
  const policy = policyOrNone(reading.file);
  if (policy === undefined) return [notChecked('people', 'There is no valid policy to read them from.')];
  const groups = groupsOf(policy);
  try {
    const lists = new Map<string, readonly string[]>();
    const aboutGroups = await Promise.all(
      groups.map((group) => lookAtGroup(inspection, policy, group, lists)),
    );
    const ids = [...new Set([...namedUsers(policy), ...[...lists.values()].flat()])];
    const people = await Promise.all(ids.map((id) => lookAtPerson(inspection, id, teamId)));
    const active = new Set(people.filter(({ counts }) => counts).map(({ id }) => id));
    const named = namedUsers(policy);
    const wrong = people.flatMap(({ id, problem }) => (problem && named.includes(id) ? [problem] : []));
    const all = wrong.length > 0 ? wrong : [fine('people', `all ${named.length} that are named are members`)];
    return [...all, ...aboutGroups, ...whoCanApprove(policy, active, lists)];
  } catch (error) {
    return [failed('people', error, LATER)];
  }
}

function policyOrNone(file: Given['reading']['file']): Policy | undefined {
  try {
    return policyIn(file);
  } catch (error) {
    if (!isAppError(error, 'bad-config')) throw error;
    return undefined;
  }
}

/** Names of lists in the configuration. */
const LISTS = ['approvers', 'responders'];

/** By user id, in the lists and the rules. */
function namedUsers(policy: Policy): string[] {
  const { people, rules, breakGlass, fallback } = policy;
  const asked = rules.flatMap(({ do: deeds }) =>
    Object.values(deeds).flatMap((decision) => (typeof decision === 'string' ? [] : decision.from)),
  );
  const users = [...asked, ...breakGlass, ...fallback].filter(
    (who) => !LISTS.includes(who) && !isGroup(policy, who),
  );
  return [...new Set([...people.approvers, ...people.responders, ...users])];
}

async function lookAtPerson(inspection: SlackInspection, id: string, teamId: string) {
  const answer = await inspection.person(id);
  const problem = 'code' in answer ? unknownPerson(id, answer.code) : notCounting(answer.found, teamId);
  return { id, counts: problem === undefined, problem };
}

const OUT = 'Take the id out of people, policy and groups, and name somebody else.';

function unknownPerson(id: string, code: string): Diagnosis {
  if (code === 'missing_scope') return notChecked('people', 'The scope users:read is missing.');
  return broken(
    'people',
    `Slack knows nobody with the id ${id} (${code}).`,
    'Copy the id from the person’s profile in Slack: "…", "Copy member ID".',
  );
}

function notCounting(person: Person, teamId: string): Diagnosis | undefined {
  const { id, deactivated, bot, guest } = person;
  const what =
    (deactivated && 'is deactivated') ||
    (bot && 'is an app') ||
    (person.teamId !== teamId && 'belongs to another workspace') ||
    (guest && 'is a guest');
  return what
    ? broken('people', `${id} ${what}, so the clicks of that account are refused.`, OUT)
    : undefined;
}

async function lookAtGroup(
  inspection: SlackInspection,
  { groupMembers }: Policy,
  group: string,
  lists: Map<string, readonly string[]>,
): Promise<Diagnosis> {
  const name = 'user groups';
  const answer = await inspection.members(group);
  if ('code' in answer) return unknownGroup(name, group, answer.code);
  lists.set(
    group,
    answer.found.filter((id) => groupMembers[group]?.includes(id) ?? true),
  );
  if (answer.found.length === 0)
    return broken(
      name,
      `The user group ${group} has no members.`,
      'Add people to it in Slack: People, User groups.',
    );
  const gone = (groupMembers[group] ?? []).filter((id) => !answer.found.includes(id));
  if (gone.length > 0)
    return warning(
      name,
      `policy.groupMembers.${group} names ${gone.join(', ')}, who ${gone.length === 1 ? 'is' : 'are'} not in the group.`,
      `Add them to the group in Slack, or take them out of groupMembers.`,
    );
  return fine(name, `${group} has ${plural(answer.found.length, 'member')}`);
}

function unknownGroup(name: string, group: string, code: string): Diagnosis {
  if (code === 'missing_scope') return notChecked(name, 'The scope usergroups:read is missing.');
  if (code === 'plan_upgrade_required' || code === 'paid_teams_only')
    return broken(
      name,
      `This workspace has no user groups (${code}).`,
      'Name user ids in place of the group.',
    );
  return broken(
    name,
    `Slack knows no user group ${group} (${code}).`,
    'Copy the id (S…) from the group’s page in Slack, or name user ids.',
  );
}

/** With the people that Slack says there are, where `policy check` only knows what is written. */
function whoCanApprove(
  policy: Policy,
  active: ReadonlySet<string>,
  lists: ReadonlyMap<string, readonly string[]>,
): Diagnosis[] {
  const able = (from: readonly string[]): number => {
    const { users } = namedBy(
      policy,
      from.filter((who) => !isGroup(policy, who)),
    );
    const members = from.filter((who) => isGroup(policy, who)).flatMap((group) => lists.get(group) ?? []);
    return new Set([...users, ...members].filter((id) => active.has(id))).size;
  };
  const found = shortages(policy, able).map(tellShortage);
  const approvers = able(['approvers']);
  if (policy.protectedNamespaces.length > 0 && approvers < PROTECTED && approvers > 0)
    found.push(
      warning(
        'who can approve',
        `Everything in the protected namespaces (${policy.protectedNamespaces.join(', ')}) needs two approvals, and ${plural(approvers, 'approver')} can click.`,
        'Name another in people.approvers.',
      ),
    );
  return found.length > 0 ? found : [fine('who can approve', 'every rule has enough people')];
}

const PROTECTED = 2;

function tellShortage({ rule, deed, approvals, people, excludeRequester }: Shortage): Diagnosis {
  const what = `Rule "${rule}": ${deed} needs ${plural(approvals, 'approval')}, and ${plural(people, 'person', 'people')} of those it names can click`;
  const remedy = `Name more people in the rule's "from" or in people.approvers, or add members to its user group.`;
  if (people < approvals) return broken('who can approve', `${what}: nobody can approve it.`, remedy);
  return warning(
    'who can approve',
    `${what}${excludeRequester ? '. If one of them reports the leak, nobody can approve it.' : '.'}`,
    remedy,
  );
}
