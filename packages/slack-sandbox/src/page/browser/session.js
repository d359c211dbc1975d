// @ts-check
// Who is looking, and where: the part of the page's state that the server does not know.
import { personOf } from './names.js';

/** @import { PageState } from './types.d.ts' */

/** @typedef {{ user: string, place: string, thread: string | null, pointedAt: string | null }} Session place is a channel id or 'home' */

const HOME = 'home';
const LAST_USER = 'last user';
const address = new URLSearchParams(location.search);

/** A permalink names a message, but not who follows it: that is whoever was here last.
 * @type {Session} */
export const session = {
  user: address.get('user') ?? localStorage.getItem(LAST_USER) ?? '',
  place: address.get('channel') ?? '',
  thread: null,
  pointedAt: address.get('ts'),
};

export const isHome = () => session.place === HOME;

/** What each person has read: `user channel` → the newest ts seen. @type {Map<string, string>} */
const seen = new Map();

/** Keeps the session possible: a place this viewer can see, a thread that exists.
 * @param {PageState} state */
export function settle(state) {
  session.user = state.viewer;
  const visible = isHome() || state.channels.some((channel) => channel.id === session.place);
  if (!visible) moveTo(state.channels.find((channel) => !channel.isIm)?.id ?? state.channels[0]?.id ?? HOME);
  const messages = state.messages[session.place] ?? [];
  const pointedAt = messages.find((message) => message.ts === session.pointedAt);
  if (pointedAt && isReply(pointedAt)) session.thread = pointedAt.threadTs ?? null;
  if (session.thread && !messages.some((message) => message.ts === session.thread)) session.thread = null;
  localStorage.setItem(LAST_USER, session.user);
  history.replaceState(null, '', `?${new URLSearchParams({ user: session.user, channel: session.place })}`);
  document.title = `${personOf(state, state.viewer)?.realName ?? ''} · ${state.team.name} (emulated Slack)`;
}

/** @param {string} place */
export function moveTo(place) {
  if (place !== session.place) session.thread = null;
  session.place = place;
}

/** @param {PageState} state @param {string} channel */
export function unread(state, channel) {
  const since = seen.get(`${state.viewer} ${channel}`) ?? '0';
  return (state.messages[channel] ?? []).filter(
    (message) => message.ts > since && message.user !== state.viewer && !isReply(message),
  ).length;
}

/** @param {PageState} state */
export function markRead(state) {
  const newest = state.messages[session.place]?.at(-1)?.ts;
  if (newest) seen.set(`${state.viewer} ${session.place}`, newest);
}

/** @param {{ ts: string, threadTs?: string }} message */
export const isReply = (message) => message.threadTs !== undefined && message.threadTs !== message.ts;
