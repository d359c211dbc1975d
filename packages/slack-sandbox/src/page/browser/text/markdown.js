// @ts-check
// Draws the `markdown` block: ordinary Markdown, as far as a bot's report uses it.

import { h } from '../dom.js';
import { link } from './angle.js';
import { emoji } from './emoji.js';
import { inline, lines } from './inline.js';

/** @import { Rule } from './inline.js' */

/** @type {Rule[]} */
const RULES = [
  { pattern: /`([^`\n]+)`/, draw: (match) => h('code', {}, match[1]) },
  { pattern: /\[([^\]\n]+)\]\(([^)\s]+)\)/, draw: (match) => link(match[2] ?? '', match[1] ?? '') },
  { pattern: /https?:\/\/[^\s<>)]+/, draw: (match) => link(match[0], match[0]) },
  {
    pattern: /\*\*(?!\s)(.+?)(?<!\s)\*\*/,
    draw: (match, again) => h('strong', {}, ...again(match[1] ?? '')),
  },
  {
    pattern: /(?<![\w*])\*(?!\s)([^*\n]+?)(?<!\s)\*(?![\w*])/,
    draw: (match, again) => h('em', {}, ...again(match[1] ?? '')),
  },
  {
    pattern: /(?<!\w)_(?!\s)([^_\n]+?)(?<!\s)_(?!\w)/,
    draw: (match, again) => h('em', {}, ...again(match[1] ?? '')),
  },
  { pattern: /~~(.+?)~~/, draw: (match, again) => h('s', {}, ...again(match[1] ?? '')) },
  { pattern: /:([a-z0-9_+-]+):/, draw: (match) => emoji(match[1] ?? '') ?? match[0] },
];

/** @param {string} line */
const drawLine = (line) => inline(line.replaceAll(/^(\s*)\* +/g, '$1- '), RULES);

/**
 * @param {string} text
 * @returns {Node[]}
 */
export function markdown(text) {
  return text.split(/```[\w-]*\n([\s\S]*?)\n?```/).flatMap((part, index) => {
    if (index % 2 === 1) return [h('pre', {}, part)];
    return part
      .split(/\n{2,}/)
      .filter((piece) => piece.trim())
      .flatMap(paragraph);
  });
}

/** @param {string} piece @returns {Node[]} */
function paragraph(piece) {
  /** @type {Node[]} */
  const nodes = [];
  for (const run of piece
    .trim()
    .split(/^(#{1,6} .*)$/m)
    .map((part) => part.replace(/^\n|\n$/g, ''))) {
    const heading = /^(#{1,6}) (.*)$/.exec(run);
    if (heading)
      nodes.push(
        h(
          'p',
          { class: 'heading', role: 'heading', 'aria-level': String(heading[1]?.length) },
          ...drawLine(heading[2] ?? ''),
        ),
      );
    else if (/^\s*(---|\*\*\*)\s*$/.test(run)) nodes.push(h('hr'));
    else if (run) nodes.push(...lines(run.replaceAll(/^(\s*)\* /gm, '$1- '), drawLine, /^> ?/));
  }
  return nodes;
}
