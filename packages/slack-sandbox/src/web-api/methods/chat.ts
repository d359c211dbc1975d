// chat.*: what the app says.

import type { Core } from '../../core.ts';
import { SlackError } from '../../slack-error.ts';
import { postAsBot } from '../../state/bot-message.ts';
import { toWire } from '../../state/wire.ts';
import type { Channel, Json, Message } from '../../types.ts';
import { booleanArg, requiredArg, stringArg } from '../arguments.ts';
import { newContent, readContent, TEXT_MAX } from '../message-content.ts';
import { existingMessage, existingPerson, type Method, visibleChannel, writableChannel } from './method.ts';

/** A reply to a reply belongs to the root's thread. */
function threadRoot(args: Json, channel: Channel, core: Core): string | undefined {
  const ts = stringArg(args, 'thread_ts');
  if (ts === undefined) return undefined;
  const parent = core.state.findMessage(channel.id, ts);
  if (!parent || parent.ephemeralTo !== undefined) throw new SlackError('thread_not_found');
  return parent.threadTs ?? parent.ts;
}

const postMessage: Method = (args, core) => {
  const channel = writableChannel(args, core);
  const content = newContent(args);
  const threadTs = threadRoot(args, channel, core);
  const botName = stringArg(args, 'username');
  const message = postAsBot(core.state, channel.id, {
    ...content,
    ...(threadTs ? { threadTs } : {}),
    ...(botName ? { botName } : {}),
    ...(booleanArg(args, 'reply_broadcast') ? { isBroadcast: true } : {}),
  });
  return {
    ok: true,
    channel: channel.id,
    ts: message.ts,
    message: toWire(message, core.state.team.id, true),
  };
};

const postEphemeral: Method = (args, core) => {
  const channel = writableChannel(args, core);
  const person = existingPerson(args, core);
  if (!channel.members.includes(person.id)) throw new SlackError('user_not_in_channel');
  const content = newContent(args);
  const threadTs = threadRoot(args, channel, core);
  const message = postAsBot(core.state, channel.id, {
    ...content,
    ...(threadTs ? { threadTs } : {}),
    ephemeralTo: person.id,
  });
  return { ok: true, message_ts: message.ts };
};

function ownMessage(args: Json, core: Core, refusal: string): Message {
  const channel = visibleChannel(args, core);
  const message = existingMessage(channel, requiredArg(args, 'ts'), core);
  if (message.user !== core.state.botUserId || message.isTombstone) throw new SlackError(refusal);
  return message;
}

/** Whatever an update leaves out stays as it was. */
const update: Method = (args, core) => {
  const message = ownMessage(args, core, 'cant_update_message');
  const { text, blocks, metadata } = readContent(args);
  if (text === undefined && blocks === undefined && args.attachments === undefined)
    throw new SlackError('no_text');
  if ((text ?? '').length > TEXT_MAX) throw new SlackError('msg_too_long');
  if (text !== undefined) message.text = text;
  if (blocks) message.blocks = blocks;
  else message.edited = true;
  if (metadata && Object.keys(metadata).length > 0) message.metadata = metadata;
  else if (metadata) delete message.metadata;
  core.state.changes.changed();
  return {
    ok: true,
    channel: message.channel,
    ts: message.ts,
    text: message.text,
    message: toWire(message, core.state.team.id, true),
  };
};

/** A root with replies leaves a stone behind, so that its thread stays reachable. */
const remove: Method = (args, core) => {
  const message = ownMessage(args, core, 'cant_delete_message');
  if (core.state.replies(message).length > 0) {
    message.isTombstone = true;
    message.text = 'This message was deleted.';
    delete message.blocks;
    delete message.metadata;
    core.state.changes.changed();
  } else core.state.removeMessage(message);
  return { ok: true, channel: message.channel, ts: message.ts };
};

const getPermalink: Method = (args, core) => {
  const channel = visibleChannel(args, core);
  const message = existingMessage(channel, requiredArg(args, 'message_ts'), core);
  const thread = message.threadTs ? `?thread_ts=${message.threadTs}&cid=${channel.id}` : '';
  const permalink = `${core.origin}/archives/${channel.id}/p${message.ts.replace('.', '')}${thread}`;
  return { ok: true, channel: channel.id, permalink };
};

export const chatMethods: Record<string, Method> = {
  'chat.postMessage': postMessage,
  'chat.postEphemeral': postEphemeral,
  'chat.update': update,
  'chat.delete': remove,
  'chat.getPermalink': getPermalink,
};
