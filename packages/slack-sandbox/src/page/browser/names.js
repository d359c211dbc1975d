// @ts-check
// Turns ids into what people read: names, initials, colours, times.
import { h } from './dom.js';

/** @import { Channel, Names, PageMessage, PageState, Person } from './types.d.ts' */

const COLOURS = ['#2f6f4f', '#8a3ffc', '#b3541e', '#1f6f8b', '#a2345f', '#5a6b1f', '#4450a8', '#7a4b2a'];

/** @param {Pick<Names, 'people'>} names @param {string} id @returns {Person | undefined} */
export const personOf = (names, id) => names.people.find((person) => person.id === id);

/** @param {string} text */
function colourOf(text) {
  let sum = 0;
  for (const letter of text) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  return COLOURS[sum % COLOURS.length] ?? '#4450a8';
}

/** @param {string} name */
function initials(name) {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  return words
    .slice(0, 2)
    .map((word) => word[0]?.toUpperCase() ?? '')
    .join('');
}

/** @param {string} name @param {boolean} [isBot] */
export function avatar(name, isBot = false) {
  const node = h('span', { class: isBot ? 'avatar bot' : 'avatar', 'aria-hidden': 'true' }, initials(name));
  if (!isBot) node.style.backgroundColor = colourOf(name);
  return node;
}

/** @param {PageMessage} message @param {Names} names @returns {{ name: string, title: string, isBot: boolean, isGuest: boolean }} */
export function authorOf(message, names) {
  const person = personOf(names, message.user);
  const name = message.botName ?? person?.realName ?? message.user;
  const isBot = person?.isBot ?? message.botName !== undefined;
  return { name, title: person?.title ?? '', isBot, isGuest: person?.isGuest ?? false };
}

/** The person a direct message is with, however the emulator names the conversation.
 * @param {Channel} channel @param {Pick<PageState, 'people' | 'viewer'>} state */
export function partnerOf(channel, state) {
  const named = (/** @type {Person} */ person) =>
    [person.id, person.name, person.realName].includes(channel.name);
  return channel.isIm
    ? state.people.find((person) => person.id !== state.viewer && named(person))
    : undefined;
}

/** @param {Channel} channel @param {PageState} state */
export function channelLabel(channel, state) {
  if (!channel.isIm) return channel.name;
  return partnerOf(channel, state)?.realName ?? channel.name;
}

/** @param {string} ts */
export const dateOf = (ts) => new Date(Number(ts) * 1000);

/** @param {Date} date @param {boolean} [seconds] */
export const clock = (date, seconds = false) =>
  date.toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds && { second: '2-digit' }),
  });

/** @param {Date} date @param {Date} [now] */
export function day(date, now = new Date()) {
  const yesterday = new Date(now.getTime() - 86_400_000);
  if (date.toDateString() === now.toDateString()) return 'Today';
  if (date.toDateString() === yesterday.toDateString()) return 'Yesterday';
  return date.toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long' });
}
