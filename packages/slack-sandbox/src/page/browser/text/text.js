// @ts-check
// Draws Block Kit's text objects.
import { withEmoji } from './emoji.js';
import { mrkdwn } from './mrkdwn.js';
/** @import { TextObject } from '@slack/types' */
/** @import { Names } from '../types.d.ts' */

/** @param {TextObject} text */
export const plainText = (text) =>
  text.type === 'plain_text' && text.emoji !== false ? withEmoji(text.text) : text.text;

/**
 * @param {TextObject} text
 * @param {Names} names
 * @returns {Node[]}
 */
export function textObject(text, names) {
  return text.type === 'mrkdwn' ? mrkdwn(text.text, names) : [document.createTextNode(plainText(text))];
}
