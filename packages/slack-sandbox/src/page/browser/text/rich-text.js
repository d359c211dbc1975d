// @ts-check
// Draws `rich_text` blocks, which plan steps and tables carry.

import { h } from '../dom.js';
import { channelMention, formatDate, groupMention, link, mention, userMention } from './angle.js';
import { emoji } from './emoji.js';

/** @import { RichTextBlock, RichTextBlockElement, RichTextElement } from '@slack/types' */
/** @import { Names } from '../types.d.ts' */

/** @param {RichTextElement} element @param {Names} names @returns {Node | string} */
function bare(element, names) {
  switch (element.type) {
    case 'text':
      return element.text;
    case 'link':
      return link(element.url, element.text ?? element.url);
    case 'emoji':
      return emoji(element.name) ?? `:${element.name}:`;
    case 'user':
      return userMention(element.user_id, names);
    case 'channel':
      return channelMention(element.channel_id, names);
    case 'usergroup':
      return groupMention(element.usergroup_id, names);
    case 'broadcast':
      return mention(`@${element.range}`);
    case 'date':
      return formatDate(new Date(element.timestamp * 1000), element.format);
    default:
      return `[${element.type}]`;
  }
}

/** @param {RichTextElement} element @param {Names} names @returns {Node | string} */
function styled(element, names) {
  const style = element.style ?? {};
  let node = bare(element, names);
  if (style.code) node = h('code', {}, node);
  if (style.strike) node = h('s', {}, node);
  if (style.italic) node = h('em', {}, node);
  if (style.bold) node = h('strong', {}, node);
  return node;
}

/** @param {RichTextBlockElement} part @param {Names} names */
function drawPart(part, names) {
  if (part.type === 'rich_text_list') {
    const items = part.elements.map((item) =>
      h('li', {}, ...item.elements.map((element) => styled(element, names))),
    );
    const list = h(part.style === 'ordered' ? 'ol' : 'ul', {}, ...items);
    if (part.indent) list.style.marginLeft = `${part.indent * 24}px`;
    return list;
  }
  const inside = part.elements.map((element) => styled(element, names));
  if (part.type === 'rich_text_quote') return h('blockquote', { class: 'lines' }, ...inside);
  return part.type === 'rich_text_preformatted'
    ? h('pre', {}, ...inside)
    : h('div', { class: 'lines' }, ...inside);
}

/**
 * @param {RichTextBlock} block
 * @param {Names} names
 * @returns {Node[]}
 */
export const richText = (block, names) => block.elements.map((part) => drawPart(part, names));
