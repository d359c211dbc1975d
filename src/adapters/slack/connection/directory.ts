// Who pressed the button: asked of Slack, remembered for a minute, and nobody where Slack does not say.
import type { UsersInfoResponse, WebClient } from '@slack/web-api';
import type { Person } from '../../../domain/decision/click.ts';
import { AppError } from '../../../errors.ts';
import { slackCode } from './web-client.ts';

const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 1000;

export interface Directory {
  /** With those of the policy's user groups that they are in. Throws AppError: who cannot be looked up may not decide. */
  person(id: string): Promise<Person & { groups: string[] }>;
  /** Slack user ids; undefined where Slack does not say, and then nobody counts as a member. */
  members(group: string): Promise<readonly string[] | undefined>;
}

/** `groups`: every user group that the policy names. */
export function directory(client: WebClient, now: () => number, groups: readonly string[] = []): Directory {
  const person = remembering(now, (id) => look(client, id));
  const asked = remembering(now, (group) => lookInto(client, group));
  // A failure is not remembered, so that the next click asks again.
  const members = (group: string) => asked(group).catch(() => undefined);
  return {
    members,
    async person(id) {
      const [found, lists] = await Promise.all([person(id), Promise.all(groups.map(members))]);
      return { ...found, groups: groups.filter((_, index) => lists[index]?.includes(id)) };
    },
  };
}

function remembering<T>(now: () => number, ask: (id: string) => Promise<T>): (id: string) => Promise<T> {
  const known = new Map<string, { value: T; until: number }>();
  return async (id) => {
    const remembered = known.get(id);
    if (remembered && remembered.until > now()) return remembered.value;
    const value = await ask(id);
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(id, { value, until: now() + REMEMBERED_MS });
    return value;
  };
}

async function lookInto(client: WebClient, usergroup: string): Promise<readonly string[]> {
  const { users = [] } = await client.usergroups.users.list({ usergroup });
  return users;
}

async function look(client: WebClient, id: string): Promise<Person> {
  const { user } = await client.users.info({ user: id }).catch((error: unknown) => {
    const code = slackCode(error);
    throw new AppError(
      'slack-unavailable',
      `Slack did not say who you are${code ? ` (${code})` : ''}, so nothing was done. Press again in a minute.`,
      { retry: true },
    );
  });
  return personOf(id, user);
}

type User = NonNullable<UsersInfoResponse['user']>;

/** What Slack does not say counts against them. */
export function personOf(id: string, user: User | undefined): Person {
  return {
    id,
    // A stranger reaches us through a shared channel and belongs to no workspace that we know.
    teamId: user?.is_stranger ? '' : (user?.team_id ?? ''),
    guest: (user?.is_restricted ?? true) || (user?.is_ultra_restricted ?? true),
    bot: user?.is_bot ?? true,
    deactivated: user?.deleted ?? true,
  };
}

/** Undefined: a full member of the workspace. */
export function notAMember(person: Person, teamId: string): string | undefined {
  if (person.teamId !== teamId)
    return 'You belong to another workspace, so this does nothing for you. Ask somebody of this workspace.';
  if (person.guest || person.bot || person.deactivated)
    return 'This is for full members of the workspace. Ask one of them to do it for you.';
  return undefined;
}
