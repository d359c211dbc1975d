// auth, users, user groups, reactions and the opening of sockets.

import type { Core } from '../../core.ts';
import { SlackError } from '../../slack-error.ts';
import type { Json, Person, UserGroup } from '../../types.ts';
import { booleanArg, paginate, requiredArg } from '../arguments.ts';
import { existingMessage, existingPerson, type Method, visibleChannel } from './method.ts';

export function userObject(person: Person, core: Core): Json {
  const teamId = person.teamId ?? core.state.team.id;
  return {
    id: person.id,
    team_id: teamId,
    name: person.name,
    real_name: person.realName,
    deleted: person.isDeactivated ?? false,
    is_bot: person.isBot ?? false,
    is_app_user: false,
    is_restricted: person.isGuest ?? false,
    is_ultra_restricted: false,
    is_stranger: teamId !== core.state.team.id,
    tz: 'Etc/UTC',
    profile: {
      display_name: person.name,
      real_name: person.realName,
      title: person.title,
      ...(person.email ? { email: person.email } : {}),
    },
  };
}

const authTest: Method = (_args, { state, origin }) => {
  const bot = state.person(state.botUserId);
  return {
    ok: true,
    url: `${origin}/`,
    team: state.team.name,
    team_id: state.team.id,
    user: bot.name,
    user_id: bot.id,
    bot_id: state.botId,
    is_enterprise_install: false,
  };
};

const usersList: Method = (args, core) => {
  const page = paginate(core.state.people, args, 1000);
  return {
    ok: true,
    members: page.items.map((person) => userObject(person, core)),
    response_metadata: { next_cursor: page.nextCursor },
  };
};

function groupObject(group: UserGroup, teamId: string, withUsers: boolean): Json {
  return {
    id: group.id,
    team_id: teamId,
    is_usergroup: true,
    name: group.name,
    handle: group.handle,
    date_delete: 0,
    user_count: group.users.length,
    ...(withUsers ? { users: group.users } : {}),
  };
}

const groupUsers: Method = (args, core) => {
  const id = requiredArg(args, 'usergroup');
  const group = core.state.userGroups.find((candidate) => candidate.id === id);
  if (!group) throw new SlackError('no_such_subteam');
  return { ok: true, users: group.users };
};

const addReaction: Method = (args, core) => {
  const channel = visibleChannel(args, core);
  const message = existingMessage(channel, requiredArg(args, 'timestamp'), core);
  const name = requiredArg(args, 'name');
  const bot = core.state.botUserId;
  const reaction = message.reactions.find((candidate) => candidate.name === name);
  if (reaction?.users.includes(bot)) throw new SlackError('already_reacted');
  if (reaction) reaction.users.push(bot);
  else message.reactions.push({ name, users: [bot] });
  core.state.changes.changed();
  return { ok: true };
};

export const directoryMethods: Record<string, Method> = {
  'auth.test': authTest,
  'apps.connections.open': (_args, core) => ({ ok: true, url: core.sockets.issueUrl() }),
  'users.info': (args, core) => ({ ok: true, user: userObject(existingPerson(args, core), core) }),
  'users.list': usersList,
  'usergroups.list': (args, { state }) => ({
    ok: true,
    usergroups: state.userGroups.map((group) =>
      groupObject(group, state.team.id, booleanArg(args, 'include_users')),
    ),
  }),
  'usergroups.users.list': groupUsers,
  'reactions.add': addReaction,
};
