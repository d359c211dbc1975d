// What a Web API method is, and the questions that most of them ask first.

import type { Core } from '../../core.ts';
import { SlackError } from '../../slack-error.ts';
import type { Channel, Json, Message, Person } from '../../types.ts';
import { requiredArg } from '../arguments.ts';

export type Method = (args: Json, core: Core) => Json;

/** A private channel without the bot does not exist for it. */
export function visibleChannel(args: Json, core: Core): Channel {
  const ref = requiredArg(args, 'channel');
  const { state } = core;
  const channel = state.channels.find((candidate) => candidate.id === ref);
  const isHidden = (channel?.isPrivate || channel?.isIm) && !channel.members.includes(state.botUserId);
  if (!channel || isHidden) throw new SlackError('channel_not_found');
  return channel;
}

/** Where messages go: a channel's id or #name, or a person's id for a direct message. */
export function writableChannel(args: Json, core: Core): Channel {
  const { state } = core;
  const ref = requiredArg(args, 'channel');
  const person = state.people.find((candidate) => candidate.id === ref);
  if (person) return state.openIm(person.id);
  const named = state.channels.find((candidate) => `#${candidate.name}` === ref && !candidate.isIm);
  const channel = visibleChannel(named ? { channel: named.id } : args, core);
  if (channel.isArchived) throw new SlackError('is_archived');
  if (!channel.members.includes(state.botUserId)) throw new SlackError('not_in_channel');
  return channel;
}

export function existingPerson(args: Json, core: Core, name = 'user'): Person {
  const id = requiredArg(args, name);
  const person = core.state.people.find((candidate) => candidate.id === id);
  if (!person) throw new SlackError('user_not_found');
  return person;
}

export function existingMessage(channel: Channel, ts: string, core: Core): Message {
  const message = core.state.findMessage(channel.id, ts);
  if (!message || message.ephemeralTo !== undefined) throw new SlackError('message_not_found');
  return message;
}
