// @ts-check
// The part mrkdwn and Markdown share: marks within a line, and quotes and lists of lines.
import { h } from '../dom.js';

/** @typedef {{ pattern: RegExp, draw(match: RegExpExecArray, again: (text: string) => Node[]): Node | string }} Rule */

/**
 * Draws the earliest match of any rule, then what follows it; the first rule wins a tie.
 * @param {string} text
 * @param {Rule[]} rules
 * @param {(text: string) => string} plain what is left over is text
 * @returns {Node[]}
 */
export function inline(text, rules, plain = (same) => same) {
  /** @type {Node[]} */
  const nodes = [];
  const again = (/** @type {string} */ part) => inline(part, rules, plain);
  let start = 0;
  while (start < text.length) {
    const found = earliest(text, start, rules);
    if (!found) break;
    const { match, rule } = found;
    if (match.index > start) nodes.push(document.createTextNode(plain(text.slice(start, match.index))));
    const node = rule.draw(match, again);
    nodes.push(typeof node === 'string' ? document.createTextNode(node) : node);
    start = match.index + match[0].length;
  }
  if (start < text.length) nodes.push(document.createTextNode(plain(text.slice(start))));
  return nodes;
}

/** @param {string} text @param {number} start @param {Rule[]} rules */
function earliest(text, start, rules) {
  /** @type {{ match: RegExpExecArray, rule: Rule } | undefined} */
  let best;
  for (const rule of rules) {
    // Searching the whole string from `start`, not a slice, lets look-behinds see what came before.
    const pattern = new RegExp(rule.pattern, 'g');
    pattern.lastIndex = start;
    const match = pattern.exec(text);
    if (match && (!best || match.index < best.match.index)) best = { match, rule };
  }
  return best;
}

const BULLET = /^\s*[•◦▪-] +/;
const NUMBER = /^\s*\d+[.)] +/;

/** @param {string} line @param {RegExp} quote */
const kindOf = (line, quote) => {
  if (quote.test(line)) return 'quote';
  if (BULLET.test(line)) return 'bullet';
  return NUMBER.test(line) ? 'number' : 'text';
};

/**
 * Groups neighbouring lines into paragraphs, quotes and lists.
 * @param {string} text
 * @param {(line: string) => Node[]} draw
 * @param {RegExp} quote how a quoted line begins
 * @returns {Node[]}
 */
export function lines(text, draw, quote) {
  /** @type {{ kind: string, lines: string[] }[]} */
  const groups = [];
  for (const line of text.split('\n')) {
    const kind = kindOf(line, quote);
    const last = groups.at(-1);
    if (last?.kind === kind) last.lines.push(line);
    else groups.push({ kind, lines: [line] });
  }
  return groups.map((group) => drawGroup(group, draw, quote));
}

/** @param {{ kind: string, lines: string[] }} group @param {(line: string) => Node[]} draw @param {RegExp} quote */
function drawGroup(group, draw, quote) {
  const items = (/** @type {RegExp} */ mark) =>
    group.lines.map((line) => h('li', {}, ...draw(line.replace(mark, ''))));
  if (group.kind === 'bullet') return h('ul', {}, ...items(BULLET));
  if (group.kind === 'number') {
    return h('ol', { start: Number.parseInt(group.lines[0] ?? '1', 10) }, ...items(NUMBER));
  }
  const node = h(group.kind === 'quote' ? 'blockquote' : 'div', { class: 'lines' });
  for (const [index, line] of group.lines.entries()) {
    if (index > 0) node.append('\n');
    node.append(...draw(line.replace(quote, '')));
  }
  return node;
}
