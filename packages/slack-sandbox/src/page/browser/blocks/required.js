// @ts-check
// What Slack checks in a modal before it asks the app.
/** @import { InputBlock, KnownBlock } from '@slack/types' */
/** @import { Entered, Form } from '../types.d.ts' */

/** @param {Entered} entered */
const isEmpty = (entered) =>
  Object.values(entered).every(
    (value) =>
      value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0),
  );

/** @param {InputBlock} block @param {Entered} entered @returns {string | undefined} */
function complaintAbout(block, entered) {
  if (isEmpty(entered)) return block.optional ? undefined : 'Please complete this required field.';
  const { element } = block;
  const text = String(entered.value ?? '');
  if (element.type === 'plain_text_input' && text.length < (element.min_length ?? 0)) {
    return `Please enter at least ${element.min_length} characters.`;
  }
  if (element.type === 'email_text_input' && !/^\S+@\S+\.\S+$/.test(text))
    return 'Please enter a valid email address.';
  if (element.type === 'url_text_input' && !URL.canParse(text)) return 'Please enter a valid URL.';
  if (element.type === 'number_input' && !isNumber(text, element)) return 'Please enter a valid number.';
  return undefined;
}

/** @param {string} text @param {import('@slack/types').NumberInput} element */
function isNumber(text, element) {
  const value = Number(text);
  const fits =
    value >= Number(element.min_value ?? -Infinity) && value <= Number(element.max_value ?? Infinity);
  return text.trim() !== '' && fits && (element.is_decimal_allowed || Number.isInteger(value));
}

/**
 * @param {KnownBlock[]} blocks
 * @param {Form} form
 * @returns {Record<string, string>} block id → what is wrong
 */
export function complaints(blocks, form) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const block of blocks) {
    if (block.type !== 'input' || !block.block_id) continue;
    const text = complaintAbout(block, form.get(block.block_id, block.element.action_id ?? '') ?? {});
    if (text) found[block.block_id] = text;
  }
  return found;
}
