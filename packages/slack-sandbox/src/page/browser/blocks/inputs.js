// @ts-check
// Text fields, dates, radio buttons and checkboxes.
import { h } from '../dom.js';
import { textObject } from '../text/text.js';
import { controlAttributes, fieldOf } from './field.js';
/** @import { Checkboxes, Datepicker, EmailInput, NumberInput, Option, PlainTextInput, RadioButtons, Timepicker, URLInput } from '@slack/types' */
/** @import { Placement } from '../types.d.ts' */

/** @param {PlainTextInput | EmailInput | URLInput | NumberInput} element @param {Placement} place */
export function drawTextInput(element, place) {
  const field = fieldOf(element, place, { value: element.initial_value ?? null });
  const triggers = element.dispatch_action_config?.trigger_actions_on ?? ['on_enter_pressed'];
  const limit = element.type === 'plain_text_input' ? element.max_length : undefined;
  const multiline = element.type === 'plain_text_input' && element.multiline === true;
  const input = h(multiline ? 'textarea' : 'input', {
    ...controlAttributes(element, place),
    placeholder: element.placeholder?.text,
    maxlength: limit,
    autocomplete: 'off',
    spellcheck: 'false',
  });
  input.value = String(field.entered().value ?? '');
  const left = h('span', { class: 'letters-left', 'aria-hidden': 'true' });
  const count = () => {
    left.textContent = limit === undefined ? '' : String(limit - input.value.length);
  };
  const hold = (/** @type {boolean} */ dispatches) =>
    field.change({ value: input.value === '' ? null : input.value }, dispatches);
  input.addEventListener('input', () => {
    count();
    void hold(place.dispatches && triggers.includes('on_character_entered'));
  });
  input.addEventListener('keydown', (event) => {
    const key = /** @type {KeyboardEvent} */ (event);
    if (key.key !== 'Enter' || multiline || !place.dispatches || !triggers.includes('on_enter_pressed'))
      return;
    event.preventDefault();
    void hold(true);
  });
  count();
  return h('span', { class: 'text-input' }, input, left);
}

/** @param {Datepicker} element @param {Placement} place */
export const drawDatepicker = (element, place) =>
  drawPicker(element, place, 'date', 'selected_date', element.initial_date);

/** @param {Timepicker} element @param {Placement} place */
export const drawTimepicker = (element, place) =>
  drawPicker(element, place, 'time', 'selected_time', element.initial_time);

/** @param {Datepicker | Timepicker} element @param {Placement} place @param {string} type @param {string} name @param {string | undefined} initial */
function drawPicker(element, place, type, name, initial) {
  const field = fieldOf(element, place, { [name]: initial ?? null });
  const input = h('input', { ...controlAttributes(element, place), type });
  input.value = String(field.entered()[name] ?? '');
  input.addEventListener('change', async () => {
    if (!(await field.change({ [name]: input.value || null })))
      input.value = String(field.entered()[name] ?? '');
  });
  return input;
}

let groups = 0;

/** @param {RadioButtons | Checkboxes} element @param {Placement} place @param {string} type @param {(boxes: HTMLInputElement[]) => void} changed */
function drawOptions(element, place, type, changed) {
  const name = `group-${++groups}`;
  const boxes = element.options.map((option) => h('input', { type, name, value: option.value ?? '' }));
  const rows = element.options.map((option, index) => {
    const description =
      option.description && h('small', {}, ...textObject(option.description, place.surface.names));
    return h(
      'label',
      { class: 'option' },
      boxes[index],
      h('span', {}, ...textObject(option.text, place.surface.names), description),
    );
  });
  const role = type === 'radio' ? 'radiogroup' : 'group';
  const group = h('div', { class: 'options', role, ...controlAttributes(element, place) }, ...rows);
  group.addEventListener('change', () => changed(boxes));
  return { group, boxes };
}

/** @param {RadioButtons} element @param {Placement} place */
export function drawRadioButtons(element, place) {
  const field = fieldOf(element, place, { selected_option: element.initial_option ?? null });
  const show = () => {
    const chosen = /** @type {Option | null} */ (field.entered().selected_option);
    for (const box of boxes) box.checked = box.value === chosen?.value;
  };
  const { group, boxes } = drawOptions(element, place, 'radio', async (all) => {
    await field.change({ selected_option: element.options[all.findIndex((box) => box.checked)] ?? null });
    show();
  });
  show();
  return group;
}

/** @param {Checkboxes} element @param {Placement} place */
export function drawCheckboxes(element, place) {
  const field = fieldOf(element, place, { selected_options: element.initial_options ?? [] });
  const show = () => {
    const chosen = /** @type {Option[]} */ (field.entered().selected_options).map((option) => option.value);
    for (const box of boxes) box.checked = chosen.includes(box.value);
  };
  const { group, boxes } = drawOptions(element, place, 'checkbox', async (all) => {
    await field.change({ selected_options: element.options.filter((_option, index) => all[index]?.checked) });
    show();
  });
  show();
  return group;
}
