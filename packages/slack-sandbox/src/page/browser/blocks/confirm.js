// @ts-check
// Slack's "are you sure?" dialog.
import { h } from '../dom.js';
import { textObject } from '../text/text.js';

/** @import { ConfirmationDialog } from '@slack/types' */
/** @import { Names } from '../types.d.ts' */

let count = 0;

/**
 * @param {ConfirmationDialog} confirm
 * @param {Names} names
 * @returns {Promise<boolean>}
 */
export function askConfirm(confirm, names) {
  const titleId = `confirm-${++count}`;
  const back = document.activeElement;
  const dialog = h('dialog', { class: 'confirm', 'aria-labelledby': titleId });
  const answer = (/** @type {string} */ value) => () => dialog.close(value);
  dialog.append(
    h('h2', { id: titleId }, confirm.title?.text ?? 'Are you sure?'),
    h('div', { class: 'confirm-text' }, ...textObject(confirm.text, names)),
    h(
      'div',
      { class: 'dialog-buttons' },
      h(
        'button',
        { type: 'button', class: 'button', 'data-confirm': 'deny', onclick: answer('') },
        confirm.deny?.text ?? 'Cancel',
      ),
      h(
        'button',
        {
          type: 'button',
          class: `button solid ${confirm.style ?? 'primary'}`,
          'data-confirm': 'confirm',
          autofocus: true,
          onclick: answer('yes'),
        },
        confirm.confirm?.text ?? 'Yes',
      ),
    ),
  );
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      if (back instanceof HTMLElement) back.focus({ preventScroll: true });
      resolve(dialog.returnValue === 'yes');
    });
    dialog.showModal();
  });
}
