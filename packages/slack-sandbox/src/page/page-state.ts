// The whole workspace as one person sees it, in the shape that the browser page draws.
import type { Core } from '../core.ts';
import type { Json, Message } from '../types.ts';

function pageMessage(core: Core, message: Message): Json {
  return {
    ts: message.ts,
    ...(message.threadTs ? { threadTs: message.threadTs } : {}),
    user: message.user,
    ...(message.botName ? { botName: message.botName } : {}),
    text: message.text,
    ...(message.blocks ? { blocks: message.blocks } : {}),
    edited: message.edited,
    ephemeral: message.ephemeralTo !== undefined,
    reactions: message.reactions,
    replyCount: core.state.replies(message).length,
  };
}

export function pageState(core: Core, viewer: string): Json {
  const { state, views } = core;
  const channels = state.channels.filter((channel) => channel.members.includes(viewer));
  const seen = (message: Message) => (message.ephemeralTo ?? viewer) === viewer;
  return {
    team: { id: state.team.id, name: state.team.name },
    people: state.people.map((person) => ({
      id: person.id,
      name: person.name,
      realName: person.realName,
      title: person.title,
      isGuest: person.isGuest ?? false,
      isBot: person.isBot ?? false,
      isDeactivated: person.isDeactivated ?? false,
    })),
    userGroups: state.userGroups.map(({ id, handle }) => ({ id, handle })),
    viewer,
    channels: channels.map((channel) => ({
      id: channel.id,
      name: channel.isIm ? state.person(state.botUserId).name : channel.name,
      topic: channel.topic ?? '',
      isIm: channel.isIm ?? false,
    })),
    commands: state.commands,
    messages: Object.fromEntries(
      channels.map(({ id }) => [
        id,
        state.messages
          .filter((message) => message.channel === id && seen(message))
          .map((message) => pageMessage(core, message)),
      ]),
    ),
    views: views.stack(viewer),
    viewErrors: views.errors(viewer),
    home: views.home(viewer) ?? null,
    demos: state.demos.map(({ id, label, description }) => ({ id, label, description })),
    notices: state.notices
      .filter((notice) => notice.user === viewer)
      .map(({ id, text, tone }) => ({ id, text, tone })),
  };
}
