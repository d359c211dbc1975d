// @ts-check
// Draws `table` and `data_table` blocks: the first row is the header.
import { h } from '../dom.js';
import { richText } from '../text/rich-text.js';
/** @import { DataTableBlock, TableBlock } from '@slack/types' */
/** @import { Surface } from '../types.d.ts' */

/** @param {TableBlock | DataTableBlock} block @param {Surface} surface */
export function drawTable(block, surface) {
  const settings = block.type === 'table' ? (block.column_settings ?? []) : [];
  const rows = block.rows.map((row, at) =>
    h(
      'tr',
      {},
      ...row.map((cell, column) => {
        const inside = cell.type === 'rich_text' ? richText(cell, surface.names) : [cell.text];
        const attributes = { class: settings[column]?.align ?? '', ...(at === 0 && { scope: 'col' }) };
        return h(at === 0 ? 'th' : 'td', attributes, ...inside);
      }),
    ),
  );
  const caption = block.type === 'data_table' && h('caption', {}, block.caption);
  return h(
    'div',
    { class: 'table', tabindex: '0' },
    h('table', {}, caption, h('thead', {}, rows[0]), h('tbody', {}, ...rows.slice(1))),
  );
}
