// @ts-check
// Menus to choose from: one of a list, several of a list, a person, a channel.
import { h } from '../dom.js';
import { plainText } from '../text/text.js';
import { controlAttributes, fieldOf } from './field.js';
import { popover } from './popover.js';

/** @import { ChannelsSelect, ConversationsSelect, MultiStaticSelect, MultiUsersSelect, PlainTextOption, StaticSelect, UsersSelect } from '@slack/types' */
/** @import { Placement } from '../types.d.ts' */

/** @typedef {{ value: string, label: string, group?: string, chosen: unknown }} Choice */

/** @param {StaticSelect | MultiStaticSelect} element @returns {Choice[]} */
function optionChoices(element) {
  const choice = (/** @type {PlainTextOption} */ option) => ({
    value: option.value ?? '',
    label: plainText(option.text),
    chosen: option,
  });
  const grouped = (element.option_groups ?? []).flatMap((group) =>
    group.options.map((option) => ({ ...choice(option), group: plainText(group.label) })),
  );
  return element.option_groups ? grouped : (element.options ?? []).map(choice);
}

/** @param {Placement} place @returns {Choice[]} */
const peopleChoices = ({ surface }) =>
  surface.names.people
    .filter((person) => !person.isBot)
    .map(({ id, realName }) => ({ value: id, label: realName, chosen: id }));

/** @param {Placement} place @returns {Choice[]} */
const channelChoices = ({ surface }) =>
  surface.names.channels
    .filter((channel) => !channel.isIm)
    .map(({ id, name }) => ({ value: id, label: `#${name}`, chosen: id }));

/** @param {Choice[]} choices @returns {Node[]} */
function optionNodes(choices) {
  /** @type {Node[]} */
  const nodes = [];
  for (const { value, label, group } of choices) {
    const option = h('option', { value }, label);
    const last = nodes.at(-1);
    if (group === undefined) nodes.push(option);
    else if (last instanceof HTMLOptGroupElement && last.label === group) last.append(option);
    else nodes.push(h('optgroup', { label: group }, option));
  }
  return nodes;
}

/** The value of a choice, whether it is an option or an id.
 * @param {unknown} chosen */
function valueIn(chosen) {
  if (typeof chosen === 'string') return chosen;
  const value = typeof chosen === 'object' && chosen !== null && 'value' in chosen ? chosen.value : '';
  return typeof value === 'string' ? value : '';
}

/**
 * @param {StaticSelect | UsersSelect | ChannelsSelect | ConversationsSelect} element
 * @param {Placement} place
 * @param {string} name where Slack puts the answer: `selected_option`, `selected_user`, …
 * @param {unknown} initial
 * @param {Choice[]} choices
 */
function drawSingle(element, place, name, initial, choices) {
  const field = fieldOf(element, place, { [name]: initial ?? null });
  const placeholder = h(
    'option',
    { value: '', hidden: !place.clearable, disabled: !place.clearable },
    element.placeholder?.text ?? 'Choose an option',
  );
  const select = h('select', controlAttributes(element, place), placeholder, ...optionNodes(choices));
  select.value = valueIn(field.entered()[name]);
  select.addEventListener('change', async () => {
    const chosen = choices.find((choice) => choice.value === select.value)?.chosen ?? null;
    if (!(await field.change({ [name]: chosen }))) select.value = valueIn(field.entered()[name]);
  });
  return select;
}

/** @param {StaticSelect} element @param {Placement} place */
export const drawStaticSelect = (element, place) =>
  drawSingle(element, place, 'selected_option', element.initial_option, optionChoices(element));

/** @param {UsersSelect} element @param {Placement} place */
export const drawUsersSelect = (element, place) =>
  drawSingle(element, place, 'selected_user', element.initial_user, peopleChoices(place));

/** @param {ChannelsSelect} element @param {Placement} place */
export const drawChannelsSelect = (element, place) =>
  drawSingle(element, place, 'selected_channel', element.initial_channel, channelChoices(place));

/** @param {ConversationsSelect} element @param {Placement} place */
export const drawConversationsSelect = (element, place) =>
  drawSingle(element, place, 'selected_conversation', element.initial_conversation, channelChoices(place));

/**
 * A button that names what is chosen, and a menu of checkboxes; the app hears of it when the menu closes.
 * @param {MultiStaticSelect | MultiUsersSelect} element
 * @param {Placement} place
 * @param {string} name
 * @param {unknown[]} initial
 * @param {Choice[]} choices
 */
function drawMulti(element, place, name, initial, choices) {
  const field = fieldOf(element, place, { [name]: initial });
  const chosen = () => /** @type {unknown[]} */ (field.entered()[name]).map(valueIn);
  const opener = h('button', { type: 'button', class: 'select-many', ...controlAttributes(element, place) });
  const menu = h('div', { class: 'menu', role: 'group' });
  const boxes = choices.map((choice) => ({
    choice,
    box: h('input', { type: 'checkbox', value: choice.value }),
  }));
  for (const { choice, box } of boxes) menu.append(h('label', {}, box, choice.label));
  const show = (/** @type {string[]} */ values) => {
    for (const { box } of boxes) box.checked = values.includes(box.value);
    const chips = choices
      .filter((choice) => values.includes(choice.value))
      .map((choice) => h('span', { class: 'chip' }, choice.label));
    opener.replaceChildren(...(chips.length > 0 ? chips : [element.placeholder?.text ?? 'Choose options']));
  };
  menu.addEventListener('change', () => {
    const checked = boxes.filter(({ box }) => box.checked);
    const most = element.max_selected_items ?? checked.length;
    show(checked.slice(0, most).map(({ box }) => box.value));
    void field.change({ [name]: checked.slice(0, most).map(({ choice }) => choice.chosen) }, false);
  });
  let before = field.entered();
  const closed = async () => {
    const now = field.entered();
    if (now === before || !place.dispatches) return;
    if (!(await field.change(now))) await field.change(before, false);
    before = field.entered();
    show(chosen());
  };
  show(chosen());
  return popover(opener, menu, closed);
}

/** @param {MultiStaticSelect} element @param {Placement} place */
export const drawMultiStaticSelect = (element, place) =>
  drawMulti(element, place, 'selected_options', element.initial_options ?? [], optionChoices(element));

/** @param {MultiUsersSelect} element @param {Placement} place */
export const drawMultiUsersSelect = (element, place) =>
  drawMulti(element, place, 'selected_users', element.initial_users ?? [], peopleChoices(place));
