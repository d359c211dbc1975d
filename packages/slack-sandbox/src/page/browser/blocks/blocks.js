// @ts-check
// Draws Block Kit, as far as this workspace knows it; what it does not know it says so.

import { h, patchList } from '../dom.js';
import { markdown } from '../text/markdown.js';
import { richText } from '../text/rich-text.js';
import { plainText, textObject } from '../text/text.js';
import { drawButton, drawOverflow } from './buttons.js';
import { drawCheckboxes, drawDatepicker, drawRadioButtons, drawTextInput, drawTimepicker } from './inputs.js';
import { drawPlan, drawTask } from './plan.js';
import {
  drawChannelsSelect,
  drawConversationsSelect,
  drawMultiStaticSelect,
  drawMultiUsersSelect,
  drawStaticSelect,
  drawUsersSelect,
} from './selects.js';
import { drawTable } from './table.js';

/** @import { ActionsBlock, AlertBlock, ContextBlock, InputBlock, KnownBlock, SectionBlock } from '@slack/types' */
/** @import { Placement, Surface } from '../types.d.ts' */

/** @param {string} type */
const unknown = (type) => h('div', { class: 'not-drawn' }, `not drawn: ${type}`);

/** @param {{ alt_text: string, title?: { text: string } }} image */
const drawImage = (image) =>
  h(
    'span',
    { class: 'image', role: 'img', 'aria-label': image.alt_text },
    `🖼 ${image.title?.text ?? image.alt_text}`,
  );

/** @type {Record<string, (element: never, place: Placement) => HTMLElement>} */
const ELEMENTS = {
  button: drawButton,
  overflow: drawOverflow,
  image: drawImage,
  static_select: drawStaticSelect,
  multi_static_select: drawMultiStaticSelect,
  users_select: drawUsersSelect,
  multi_users_select: drawMultiUsersSelect,
  channels_select: drawChannelsSelect,
  conversations_select: drawConversationsSelect,
  plain_text_input: drawTextInput,
  email_text_input: drawTextInput,
  url_text_input: drawTextInput,
  number_input: drawTextInput,
  datepicker: drawDatepicker,
  timepicker: drawTimepicker,
  radio_buttons: drawRadioButtons,
  checkboxes: drawCheckboxes,
};

/** @param {{ type: string }} element @param {Placement} place */
function drawElement(element, place) {
  const draw = Object.hasOwn(ELEMENTS, element.type) ? ELEMENTS[element.type] : undefined;
  return draw ? draw(/** @type {never} */ (element), place) : unknown(element.type);
}

/** @param {SectionBlock} block @param {Surface} surface */
function drawSection(block, surface) {
  const fields = (block.fields ?? []).map((field) =>
    h('div', { class: 'field' }, ...textObject(field, surface.names)),
  );
  const place = { surface, blockId: block.block_id ?? '', dispatches: true };
  return h(
    'div',
    { class: 'section' },
    h(
      'div',
      { class: 'section-text' },
      ...(block.text ? textObject(block.text, surface.names) : []),
      fields.length > 0 && h('div', { class: 'fields' }, ...fields),
    ),
    block.accessory && h('div', { class: 'accessory' }, drawElement(block.accessory, place)),
  );
}

/** @param {ActionsBlock} block @param {Surface} surface */
function drawActions(block, surface) {
  const place = { surface, blockId: block.block_id ?? '', dispatches: true };
  return h('div', { class: 'actions' }, ...block.elements.map((element) => drawElement(element, place)));
}

/** @param {ContextBlock} block @param {Surface} surface */
function drawContext(block, surface) {
  const parts = block.elements.map((part) =>
    part.type === 'image' ? drawImage(part) : h('span', {}, ...textObject(part, surface.names)),
  );
  return h('div', { class: 'context' }, ...parts);
}

/** @param {AlertBlock} block @param {Surface} surface */
function drawAlert(block, surface) {
  return h(
    'div',
    { class: `alert ${block.level ?? 'default'}`, role: 'note' },
    h('div', {}, ...textObject(block.text, surface.names)),
  );
}

let labels = 0;

/** @param {InputBlock} block @param {Surface} surface */
function drawInput(block, surface) {
  const labelledBy = `label-${++labels}`;
  const place = {
    surface,
    blockId: block.block_id ?? '',
    dispatches: block.dispatch_action === true,
    labelledBy,
    clearable: block.optional === true,
  };
  const optional = block.optional && h('span', { class: 'muted' }, ' (optional)');
  return h(
    'div',
    { class: 'input' },
    h('div', { class: 'input-label', id: labelledBy }, plainText(block.label), optional),
    drawElement(block.element, place),
    h(
      'div',
      { id: `${labelledBy}-more` },
      h('div', { class: 'input-error', 'aria-live': 'polite' }),
      block.hint && h('div', { class: 'hint' }, plainText(block.hint)),
    ),
  );
}

/** @type {Record<string, (block: never, surface: Surface) => HTMLElement>} */
const BLOCKS = {
  section: drawSection,
  header: (/** @type {{ text: { type: 'plain_text', text: string } }} */ block) =>
    h('h3', { class: 'header' }, plainText(block.text)),
  context: drawContext,
  divider: () => h('hr'),
  actions: drawActions,
  input: drawInput,
  image: (/** @type {{ alt_text: string }} */ block) => h('div', {}, drawImage(block)),
  markdown: (/** @type {{ text: string }} */ block) =>
    h('div', { class: 'markdown' }, ...markdown(block.text)),
  rich_text: (/** @type {import('@slack/types').RichTextBlock} */ block, surface) =>
    h('div', {}, ...richText(block, surface.names)),
  plan: (/** @type {import('@slack/types').PlanBlock} */ block, surface) => drawPlan(block, surface.names),
  task_card: (/** @type {import('@slack/types').TaskCardBlock} */ block, surface) =>
    h('div', { class: 'plan' }, drawTask(block, surface.names)),
  alert: drawAlert,
  table: drawTable,
  data_table: drawTable,
};

/** @param {KnownBlock} block @param {Surface} surface */
function drawBlock(block, surface) {
  const draw = Object.hasOwn(BLOCKS, block.type) ? BLOCKS[block.type] : undefined;
  return h(
    'div',
    { class: 'block', 'data-block-id': block.block_id },
    draw ? draw(/** @type {never} */ (block), surface) : unknown(block.type),
  );
}

/**
 * Draws blocks (with ids) into `parent`, leaving alone those that did not change.
 * @param {HTMLElement} parent
 * @param {KnownBlock[]} blocks
 * @param {Surface} surface
 */
export function patchBlocks(parent, blocks, surface) {
  const { people, channels, userGroups } = surface.names;
  const names = JSON.stringify([people, channels, userGroups]);
  patchList(
    parent,
    blocks.map((block, index) => ({
      key: block.block_id ?? String(index),
      print: JSON.stringify(block) + names,
      make: () => drawBlock(block, surface),
    })),
  );
}
