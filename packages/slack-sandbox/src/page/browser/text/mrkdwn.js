// @ts-check
// Draws Slack's mrkdwn as DOM nodes; message text only ever becomes text nodes, never markup.

import { h } from '../dom.js';
import { angle, decoded } from './angle.js';
import { emoji } from './emoji.js';
import { inline, lines } from './inline.js';

/** @import { Rule } from './inline.js' */
/** @import { Names } from '../types.d.ts' */

/** A pair of marks counts only where Slack would count it: not inside a word, not around spaces.
 * @param {string} mark @param {'strong' | 'em' | 's'} tag @returns {Rule} */
const pair = (mark, tag) => ({
  pattern: new RegExp(`(?<![\\w${mark}])\\${mark}(?!\\s)([^\\n]+?)(?<!\\s)\\${mark}(?![\\w${mark}])`),
  draw: (match, again) => h(tag, {}, ...again(match[1] ?? '')),
});

/** @param {Names} names @returns {Rule[]} */
const rules = (names) => [
  { pattern: /`([^`\n]+)`/, draw: (match) => h('code', {}, ...codeText(match[1] ?? '', names)) },
  { pattern: /<([^<>\n]+)>/, draw: (match) => angle(match[1] ?? '', names) ?? decoded(match[0]) },
  pair('*', 'strong'),
  pair('_', 'em'),
  pair('~', 's'),
  { pattern: /:([a-z0-9_+-]+):/, draw: (match) => emoji(match[1] ?? '') ?? match[0] },
];

/** Inside code only links and mentions are drawn, as in Slack.
 * @param {string} text @param {Names} names */
const codeText = (text, names) => inline(text, rules(names).slice(1, 2), decoded);

/**
 * @param {string} text
 * @param {Names} names
 * @returns {Node[]}
 */
export function mrkdwn(text, names) {
  const drawLine = (/** @type {string} */ part) => inline(part, rules(names), decoded);
  return text.split(/```\n?([\s\S]*?)\n?```/).flatMap((part, index) => {
    if (index % 2 === 1) return [h('pre', {}, ...codeText(part, names))];
    // The line breaks that only set a code block apart would draw as empty lines.
    const inner = part.replace(index > 0 ? /^\n/ : /^(?!)/, '').replace(/\n$/, '');
    return inner === '' ? [] : lines(inner, drawLine, /^(?:&gt;|>) ?/);
  });
}
