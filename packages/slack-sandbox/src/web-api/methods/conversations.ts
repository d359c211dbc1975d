// conversations.*: what the app can read of channels.

import type { Core } from '../../core.ts';
import { SlackError } from '../../slack-error.ts';
import { toWire } from '../../state/wire.ts';
import type { Channel, Json, Message } from '../../types.ts';
import { booleanArg, paginate, requiredArg, stringArg } from '../arguments.ts';
import { type Method, visibleChannel } from './method.ts';

function channelObject(channel: Channel, core: Core): Json {
  const { state } = core;
  const isShared = channel.members.some((id) => {
    const team = state.people.find((person) => person.id === id)?.teamId;
    return team !== undefined && team !== state.team.id;
  });
  return {
    id: channel.id,
    ...(channel.isIm
      ? { is_im: true, user: channel.members[0] }
      : { name: channel.name, is_channel: !channel.isPrivate, is_private: channel.isPrivate ?? false }),
    is_archived: channel.isArchived ?? false,
    is_member: channel.members.includes(state.botUserId),
    is_shared: isShared,
    is_ext_shared: isShared,
    num_members: channel.members.length,
    topic: { value: channel.topic ?? '' },
    context_team_id: state.team.id,
  };
}

const list: Method = (args, core) => {
  const types = (stringArg(args, 'types') ?? 'public_channel').split(',').map((type) => type.trim());
  const visible = core.state.channels.filter((channel) => {
    const type = channel.isIm ? 'im' : channel.isPrivate ? 'private_channel' : 'public_channel';
    const isReachable = type === 'public_channel' || channel.members.includes(core.state.botUserId);
    const isHidden = channel.isArchived && booleanArg(args, 'exclude_archived');
    return types.includes(type) && isReachable && !isHidden;
  });
  const page = paginate(visible, args, 100);
  return {
    ok: true,
    channels: page.items.map((channel) => channelObject(channel, core)),
    response_metadata: { next_cursor: page.nextCursor },
  };
};

const open: Method = (args, core) => {
  const users = requiredArg(args, 'users').split(',');
  const [user] = users;
  if (users.length !== 1 || user === undefined) throw new SlackError('method_not_supported_for_channel_type');
  if (!core.state.people.some((person) => person.id === user)) throw new SlackError('user_not_found');
  const channel = core.state.openIm(user);
  return {
    ok: true,
    channel: booleanArg(args, 'return_im') ? channelObject(channel, core) : { id: channel.id },
  };
};

const members: Method = (args, core) => {
  const page = paginate(visibleChannel(args, core).members, args, 100);
  return { ok: true, members: page.items, response_metadata: { next_cursor: page.nextCursor } };
};

function readable(args: Json, core: Core): Channel {
  const channel = visibleChannel(args, core);
  if (!channel.members.includes(core.state.botUserId)) throw new SlackError('not_in_channel');
  return channel;
}

function isWithin(message: Message, args: Json): boolean {
  const oldest = Number(stringArg(args, 'oldest') ?? 0);
  const latest = Number(stringArg(args, 'latest') ?? Number.POSITIVE_INFINITY);
  const ts = Number(message.ts);
  const isInside = ts > oldest && ts < latest;
  return isInside || (booleanArg(args, 'inclusive') && (ts === oldest || ts === latest));
}

function messagePage(messages: Message[], args: Json, core: Core): Json {
  const page = paginate(messages, args, 100);
  const withMetadata = booleanArg(args, 'include_all_metadata');
  const wire = page.items.map((message) => {
    const replies = core.state.replies(message);
    const lastReply = replies.at(-1);
    return {
      ...toWire(message, core.state.team.id, withMetadata),
      ...(lastReply
        ? { thread_ts: message.ts, reply_count: replies.length, latest_reply: lastReply.ts }
        : {}),
    };
  });
  return {
    ok: true,
    messages: wire,
    has_more: page.hasMore,
    response_metadata: { next_cursor: page.nextCursor },
  };
}

/** Newest first, without the replies. */
const history: Method = (args, core) => {
  const roots = core.state
    .channelMessages(readable(args, core).id)
    .filter((message) => message.threadTs === undefined || message.isBroadcast);
  return messagePage(roots.filter((message) => isWithin(message, args)).reverse(), args, core);
};

/** Oldest first; the root is always there. */
const replies: Method = (args, core) => {
  const channel = readable(args, core);
  const message = core.state.findMessage(channel.id, requiredArg(args, 'ts'));
  const root = message?.threadTs ? core.state.findMessage(channel.id, message.threadTs) : message;
  if (!root || root.ephemeralTo !== undefined) throw new SlackError('thread_not_found');
  const found = core.state.replies(root).filter((reply) => isWithin(reply, args));
  return messagePage([root, ...found], args, core);
};

export const conversationMethods: Record<string, Method> = {
  'conversations.info': (args, core) => ({
    ok: true,
    channel: channelObject(visibleChannel(args, core), core),
  }),
  'conversations.list': list,
  'conversations.open': open,
  'conversations.members': members,
  'conversations.history': history,
  'conversations.replies': replies,
};
