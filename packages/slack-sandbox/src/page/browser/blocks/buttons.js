// @ts-check
// Buttons and overflow menus: elements that say something once and hold no answer.

import { h } from '../dom.js';
import { plainText } from '../text/text.js';
import { askConfirm } from './confirm.js';
import { popover } from './popover.js';

/** @import { Button, Overflow } from '@slack/types' */
/** @import { BlockAction, Placement } from '../types.d.ts' */

/** Long enough to be seen as an answer to the press, even when the emulator answers at once. */
const PRESSED_MS = 250;

/**
 * Runs a press to its end while the button shows it; further presses meanwhile are ignored.
 * The button stays focusable, so that a keyboard user does not lose their place.
 * @param {HTMLElement} button
 * @param {() => Promise<void>} press
 */
export async function pressed(button, press) {
  if (button.getAttribute('aria-busy') === 'true') return;
  button.setAttribute('aria-busy', 'true');
  await Promise.all([press(), new Promise((resolve) => setTimeout(resolve, PRESSED_MS))]);
  button.removeAttribute('aria-busy');
}

/** @param {Button} element @param {Placement} place */
export function drawButton(element, place) {
  const { surface, blockId } = place;
  const attributes = {
    class: `button ${element.style ?? ''}`,
    'data-action-id': element.action_id ?? '',
    'aria-label': element.accessibility_label,
  };
  /** @type {BlockAction} */
  const action = {
    type: 'button',
    action_id: element.action_id ?? '',
    block_id: blockId,
    text: element.text,
    ...(element.value !== undefined && { value: element.value }),
  };
  const press = async (/** @type {MouseEvent} */ event) => {
    const button = /** @type {HTMLElement} */ (event.currentTarget);
    if (element.confirm && !(await askConfirm(element.confirm, surface.names))) return;
    await pressed(button, () => surface.dispatch(action));
  };
  if (element.url && /^https?:/i.test(element.url)) {
    return h(
      'a',
      { ...attributes, href: element.url, target: '_blank', rel: 'noopener noreferrer', onclick: press },
      plainText(element.text),
    );
  }
  return h('button', { ...attributes, type: 'button', onclick: press }, plainText(element.text));
}

/** @param {Overflow} element @param {Placement} place */
export function drawOverflow(element, place) {
  const { surface, blockId } = place;
  const opener = h(
    'button',
    {
      type: 'button',
      class: 'button overflow',
      'data-action-id': element.action_id ?? '',
      'aria-label': 'More actions',
    },
    '⋯',
  );
  const menu = h('div', { class: 'menu', role: 'menu' });
  for (const option of element.options) {
    const choose = async () => {
      menu.hidePopover();
      if (element.confirm && !(await askConfirm(element.confirm, surface.names))) return;
      await pressed(opener, () =>
        surface.dispatch({
          type: 'overflow',
          action_id: element.action_id ?? '',
          block_id: blockId,
          selected_option: option,
        }),
      );
    };
    const description = option.description && h('small', {}, plainText(option.description));
    menu.append(
      h(
        'button',
        { type: 'button', role: 'menuitem', 'data-value': option.value, onclick: choose },
        plainText(option.text),
        description,
      ),
    );
  }
  return popover(opener, menu);
}
