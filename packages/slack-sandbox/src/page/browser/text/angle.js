// @ts-check
// Draws what Slack writes in angle brackets: links, mentions and dates.
import { h } from '../dom.js';
import { clock, day, personOf } from '../names.js';
/** @import { Names } from '../types.d.ts' */

/** Only what a browser may safely follow becomes a link.
 * @param {string} url @param {string} label */
export function link(url, label) {
  if (!/^(https?:|mailto:)/i.test(url)) return h('span', {}, label);
  return h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, label);
}

/** @param {string} label @param {boolean} [isViewer] */
export const mention = (label, isViewer = false) =>
  h('span', { class: isViewer ? 'mention me' : 'mention' }, label);

/** @param {string} id @param {Names} names @param {string} [label] */
export function userMention(id, names, label) {
  return mention(`@${personOf(names, id)?.realName ?? label ?? id}`, id === names.viewer);
}

/** @param {string} id @param {Names} names @param {string} [label] */
export function groupMention(id, names, label) {
  const handle = names.userGroups?.find((group) => group.id === id)?.handle ?? label ?? id;
  return mention(`@${handle.replace(/^@/, '')}`);
}

/** @param {string} id @param {Names} names @param {string} [label] */
export function channelMention(id, names, label) {
  return mention(`#${names.channels.find((channel) => channel.id === id)?.name ?? label ?? id}`);
}

/**
 * @param {string} inner what stands between < and >
 * @param {Names} names
 * @returns {Node | undefined} undefined when Slack would show it as typed
 */
export function angle(inner, names) {
  const bar = inner.indexOf('|');
  const target = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? undefined : decoded(inner.slice(bar + 1));
  if (/^@[UW]/.test(target)) return userMention(target.slice(1), names, label);
  if (/^#C/.test(target)) return channelMention(target.slice(1), names, label);
  if (target.startsWith('!subteam^')) return groupMention(target.slice(9), names, label);
  if (target.startsWith('!date^')) return dateToken(target.slice(6), label);
  if (/^!(here|channel|everyone)$/.test(target)) return mention(`@${target.slice(1)}`);
  if (/^(https?:\/\/|mailto:)/i.test(target)) return link(decoded(target), label ?? decoded(target));
  return undefined;
}

/** The only three characters that Slack escapes.
 * @param {string} text */
export const decoded = (text) =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

/** @param {string} token @param {string | undefined} fallback */
function dateToken(token, fallback) {
  const [seconds = '', format = '{date} {time}', url] = token.split('^');
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return h('span', {}, fallback ?? token);
  const text = formatDate(date, format);
  return url ? link(url, text) : h('time', { datetime: date.toISOString(), title: date.toString() }, text);
}

/** @param {Date} date @param {string} format Slack's placeholders, such as `{date_short} {time}` */
export function formatDate(date, format) {
  const local = (/** @type {Intl.DateTimeFormatOptions} */ options) =>
    date.toLocaleDateString('en-GB', options);
  const long = local({ day: 'numeric', month: 'long', year: 'numeric' });
  const near = day(date);
  const pretty = (/** @type {string} */ text) =>
    near === 'Today' || near === 'Yesterday' ? near.toLowerCase() : text;
  const short = local({ day: 'numeric', month: 'short', year: 'numeric' });
  const weekday = local({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  /** @type {Record<string, () => string>} */
  const parts = {
    date_num: () => local({ year: 'numeric', month: '2-digit', day: '2-digit' }),
    date: () => long,
    date_pretty: () => pretty(long),
    date_short: () => short,
    date_short_pretty: () => pretty(short),
    date_long: () => weekday,
    date_long_pretty: () => pretty(weekday),
    time: () => clock(date),
    time_secs: () => clock(date, true),
    ago: () => ago(date),
  };
  return format.replace(/\{(\w+)\}/g, (whole, name) => parts[name]?.() ?? whole);
}

/** @param {Date} date */
function ago(date) {
  const minutes = Math.round((date.getTime() - Date.now()) / 60_000);
  const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  if (Math.abs(minutes) < 60) return relative.format(minutes, 'minute');
  return Math.abs(minutes) < 1440
    ? relative.format(Math.round(minutes / 60), 'hour')
    : relative.format(Math.round(minutes / 1440), 'day');
}
