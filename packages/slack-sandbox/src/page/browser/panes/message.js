// @ts-check
// One message: who, when, what, and what hangs on it.
import { patchBlocks } from '../blocks/blocks.js';
import { h, patchList } from '../dom.js';
import { authorOf, avatar, clock, dateOf, personOf } from '../names.js';
import { emoji } from '../text/emoji.js';
import { mrkdwn } from '../text/mrkdwn.js';
/** @import { Entry, PageMessage, Surface } from '../types.d.ts' */

/**
 * @typedef {object} MessageContext
 * @property {Surface} surface
 * @property {boolean} compact whether it continues the message above
 * @property {((ts: string) => void) | null} openThread null inside a thread
 * @property {string} lastReply when the last reply was made, as text
 */

/** @param {PageMessage} message @param {MessageContext} context @returns {Entry} */
export function messageEntry(message, context) {
  const { people, channels, viewer } = context.surface.names;
  const names = JSON.stringify([people, channels, viewer]);
  return {
    key: message.ts,
    print: JSON.stringify([message, context.compact, context.lastReply, context.openThread !== null]) + names,
    make: () => {
      const parts = [
        h('div', { class: 'message-gutter' }),
        h(
          'div',
          { class: 'message-main' },
          h('div', { class: 'message-head' }),
          h('div', { class: 'message-body' }),
          h('div', { class: 'message-foot' }),
        ),
      ];
      const article = h(
        'article',
        { class: 'message', 'data-ts': message.ts },
        ...parts,
        toolbar(message, context),
      );
      fill(article, message, context);
      return article;
    },
    update: (article) => fill(article, message, context),
  };
}

/** @param {HTMLElement} article @param {PageMessage} message @param {MessageContext} context */
function fill(article, message, context) {
  const part = (/** @type {string} */ name) =>
    /** @type {HTMLElement} */ (article.querySelector(`.message-${name}`));
  const author = authorOf(message, context.surface.names);
  const at = dateOf(message.ts);
  const time = h('time', { datetime: at.toISOString(), title: at.toLocaleString('en-GB') }, clock(at));
  article.classList.toggle('compact', context.compact);
  article.classList.toggle('ephemeral', message.ephemeral);
  article.setAttribute('aria-label', `${author.name}, ${clock(at)}`);
  part('gutter').replaceChildren(context.compact ? time : avatar(author.name, author.isBot));
  part('head').replaceChildren(
    ...(message.ephemeral ? [h('div', { class: 'only-you' }, '👁 Only visible to you')] : []),
    ...(context.compact
      ? []
      : [
          h('strong', { class: 'author', title: author.title }, author.name),
          ...(author.isBot ? [h('span', { class: 'app-tag' }, 'APP')] : []),
          ...(author.isGuest ? [h('span', { class: 'app-tag' }, 'GUEST')] : []),
          time,
        ]),
  );
  drawBody(part('body'), message, context.surface);
  patchList(part('foot'), footEntries(message, context));
}

/** @param {HTMLElement} body @param {PageMessage} message @param {Surface} surface */
function drawBody(body, message, surface) {
  const blocks = message.blocks ?? [];
  body.classList.toggle('has-blocks', blocks.length > 0);
  if (blocks.length > 0) return patchBlocks(body, blocks, surface);
  const make = () => h('div', { class: 'text' }, ...mrkdwn(message.text, surface.names));
  patchList(body, [{ key: 'text', print: message.text + JSON.stringify(surface.names.people), make }]);
}

/** @param {PageMessage} message @param {MessageContext} context @returns {Entry[]} */
function footEntries(message, context) {
  /** @type {Entry[]} */
  const entries = [];
  if (message.edited)
    entries.push({ key: 'edited', print: '', make: () => h('span', { class: 'edited' }, '(edited)') });
  for (const reaction of message.reactions) {
    const who = reaction.users
      .map((user) => personOf(context.surface.names, user)?.realName ?? user)
      .join(', ');
    const face = emoji(reaction.name) ?? `:${reaction.name}:`;
    const make = () =>
      h(
        'span',
        { class: 'reaction', title: `${who} reacted with :${reaction.name}:` },
        `${face} ${reaction.users.length}`,
      );
    entries.push({ key: `reaction ${reaction.name}`, print: who, make });
  }
  const { openThread, lastReply } = context;
  if (openThread && message.replyCount > 0) {
    const label = message.replyCount === 1 ? '1 reply' : `${message.replyCount} replies`;
    const inside = () => [
      h('span', {}, label),
      h('span', { class: 'muted' }, lastReply && ` Last reply ${lastReply}`),
    ];
    entries.push({
      key: 'replies',
      print: label + lastReply,
      make: () =>
        h('button', { type: 'button', class: 'replies', onclick: () => openThread(message.ts) }, ...inside()),
      update: (node) => node.replaceChildren(...inside()),
    });
  }
  return entries;
}

/** @param {PageMessage} message @param {MessageContext} context */
function toolbar(message, { openThread }) {
  if (!openThread || message.ephemeral) return null;
  const reply = h(
    'button',
    {
      type: 'button',
      'aria-label': 'Reply in thread',
      title: 'Reply in thread',
      onclick: () => openThread(message.ts),
    },
    '💬',
  );
  return h('div', { class: 'message-toolbar' }, reply);
}
