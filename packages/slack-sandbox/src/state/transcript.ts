// A channel as plain text: its threads in order, replies indented under their root.
import { blockLines } from '../blocks/block-text.ts';
import type { Message } from '../types.ts';
import type { State } from './state.ts';

/** Turns mentions and links into what a reader of the channel sees. */
export function readable(state: State, text: string): string {
  const nameOf = (id: string) => state.people.find((person) => person.id === id)?.name ?? id;
  const channelOf = (id: string) => state.channels.find((channel) => channel.id === id)?.name ?? id;
  const groupOf = (id: string) => state.userGroups.find((group) => group.id === id)?.handle ?? id;
  return text
    .replace(/<@(\w+)(?:\|[^>]*)?>/g, (_all, id: string) => `@${nameOf(id)}`)
    .replace(/<#(\w+)(?:\|[^>]*)?>/g, (_all, id: string) => `#${channelOf(id)}`)
    .replace(/<!subteam\^(\w+)(?:\|[^>]*)?>/g, (_all, id: string) => `@${groupOf(id)}`)
    .replace(/<!date\^[^|>]*\|([^>]*)>/g, '$1')
    .replace(/<!(here|channel|everyone)(?:\|[^>]*)?>/g, '@$1')
    .replace(/<((?:https?|mailto):[^|>]+)\|([^>]*)>/g, '$2 ($1)')
    .replace(/<((?:https?|mailto):[^|>]+)>/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

function messageLines(state: State, message: Message, indent: string): string[] {
  const author = message.botName ?? state.people.find(({ id }) => id === message.user)?.name ?? message.user;
  const time = new Date(Number(message.ts) * 1000).toISOString().slice(11, 19);
  const marks = [
    message.edited ? '(edited)' : '',
    message.ephemeralTo ? `(only ${state.person(message.ephemeralTo).name} sees this)` : '',
  ];
  const body = message.blocks?.length ? blockLines(message.blocks) : message.text.split('\n');
  const reactions = message.reactions.map(({ name, users }) => `:${name}: ${users.length}`).join(' ');
  return [
    `${indent}@${author} ${time} ${marks.filter(Boolean).join(' ')}`.trimEnd(),
    ...body
      .flatMap((line) => readable(state, line).split('\n'))
      .map((line) => `${indent}  ${line}`.trimEnd()),
    ...(reactions ? [`${indent}  ${reactions}`] : []),
  ];
}

export function transcript(state: State, channelId: string): string {
  const all = state.messages.filter((message) => message.channel === channelId);
  const roots = all.filter((message) => message.threadTs === undefined);
  const output = roots.flatMap((root) => [
    ...messageLines(state, root, ''),
    ...all
      .filter((message) => message.threadTs === root.ts)
      .flatMap((reply) => messageLines(state, reply, '    ')),
    '',
  ]);
  return [`#${state.channel(channelId).name}`, '', ...output].join('\n');
}
