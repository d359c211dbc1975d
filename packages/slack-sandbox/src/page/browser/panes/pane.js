// @ts-check
// A scrolling list of messages with a composer under it: the channel, and the thread beside it.

import { h, patchList } from '../dom.js';
import { clock, dateOf, day } from '../names.js';
import { createComposer } from './composer.js';
import { messageEntry } from './message.js';

/** @import { Entry, PageMessage, SlashCommand, Surface } from '../types.d.ts' */

const NEAR_BOTTOM = 40;
const SAME_BREATH_SECONDS = 300;

/**
 * @typedef {object} PaneView
 * @property {string} key which conversation this is, for drafts and scrolling
 * @property {PageMessage[]} messages
 * @property {(ts: string) => Surface} surfaceOf
 * @property {((ts: string) => void) | null} openThread
 * @property {(ts: string) => PageMessage[]} repliesTo
 * @property {string} intro
 * @property {string} placeholder
 * @property {SlashCommand[]} commands
 * @property {string} viewer
 */

/** @param {HTMLElement} root @param {(text: string) => Promise<boolean>} send */
export function createPane(root, send) {
  const list = h('div', { class: 'messages', role: 'log', 'aria-label': 'Messages', tabindex: '0' });
  const scroller = h('div', { class: 'scroller' }, list);
  const newer = h(
    'button',
    { type: 'button', class: 'newer', hidden: true, onclick: () => toBottom() },
    '↓ New messages',
  );
  const composer = createComposer(send);
  root.append(scroller, newer, composer.root);
  let stuck = true;
  let key = '';
  let newest = '';
  const toBottom = () => {
    stuck = true;
    newer.hidden = true;
    scroller.scrollTop = scroller.scrollHeight;
  };
  scroller.addEventListener('scroll', () => {
    stuck = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_BOTTOM;
    if (stuck) newer.hidden = true;
  });
  new ResizeObserver(() => stuck && toBottom()).observe(scroller);
  return {
    focus: composer.focus,
    /** @param {PaneView} view */
    draw(view) {
      const moved = key !== view.key;
      const last = view.messages.at(-1);
      const arrived = !moved && last !== undefined && last.ts > newest;
      key = view.key;
      newest = last?.ts ?? '';
      patchList(list, entriesOf(view));
      composer.show(view.key, view.placeholder, view.commands);
      if (moved || stuck || (arrived && last.user === view.viewer)) toBottom();
      else if (arrived) newer.hidden = false;
    },
  };
}

/** @param {PaneView} view @returns {Entry[]} */
function entriesOf(view) {
  /** @type {Entry[]} */
  const entries = view.intro
    ? [{ key: `${view.key} intro`, print: view.intro, make: () => h('p', { class: 'intro' }, view.intro) }]
    : [];
  /** @type {PageMessage | undefined} */
  let above;
  for (const message of view.messages) {
    const today = day(dateOf(message.ts));
    if (view.openThread && (!above || day(dateOf(above.ts)) !== today)) {
      entries.push({
        key: `${view.key} ${today}`,
        print: today,
        make: () => h('div', { class: 'day', role: 'separator' }, h('span', {}, today)),
      });
    }
    const last = view.repliesTo(message.ts).at(-1);
    const entry = messageEntry(message, {
      surface: view.surfaceOf(message.ts),
      compact: above !== undefined && continues(above, message),
      openThread: view.openThread,
      lastReply: last ? clock(dateOf(last.ts)) : '',
    });
    entries.push({ ...entry, key: `${view.key} ${entry.key}` });
    above = message;
  }
  return entries;
}

/** @param {PageMessage} above @param {PageMessage} message */
function continues(above, message) {
  const same =
    above.user === message.user &&
    above.botName === message.botName &&
    !above.ephemeral &&
    !message.ephemeral;
  const isCard = (message.blocks?.length ?? 0) > 0 || above.replyCount > 0;
  return same && !isCard && Number(message.ts) - Number(above.ts) < SAME_BREATH_SECONDS;
}
