// @ts-check
// The viewer's stack of modals: one dialog per view, the top one open, the others kept as they were left.
import { patchBlocks } from '../blocks/blocks.js';
import { pressed } from '../blocks/buttons.js';
import { createForm } from '../blocks/form.js';
import { complaints } from '../blocks/required.js';
import { h } from '../dom.js';
/** @import { PageState, SlackView, Surface, Values, BlockAction, Form } from '../types.d.ts' */

/**
 * @typedef {object} ModalActions
 * @property {(viewId: string, values: Values) => Promise<void>} submit
 * @property {(viewId: string) => void} close
 * @property {(viewId: string, action: BlockAction, values: Values) => Promise<void>} act
 */
/** @typedef {{ dialog: HTMLDialogElement, parts: Parts, form: Form, view: SlackView, errors: Record<string, string>, told: string }} Modal */
/** @typedef {{ title: HTMLElement, general: HTMLElement, body: HTMLElement, close: HTMLButtonElement, submit: HTMLButtonElement }} Parts */

/** @param {ModalActions} actions */
export function createModals(actions) {
  /** @type {Map<string, Modal>} */
  const modals = new Map();
  return {
    /** @param {PageState} state */
    draw(state) {
      for (const [id, modal] of modals) {
        if (state.views.some((view) => view.id === id)) continue;
        modal.dialog.remove();
        modals.delete(id);
      }
      const top = state.views.at(-1);
      for (const view of state.views) {
        const modal = modals.get(view.id) ?? createModal(view, actions);
        modals.set(view.id, modal);
        modal.view = view;
        fill(modal, state, actions);
        if (view === top) tell(modal, state.viewErrors);
        open(modal, view === top);
      }
    },
  };
}

/** @param {SlackView} view @param {ModalActions} actions @returns {Modal} */
function createModal(view, actions) {
  const titleId = `title-${view.id}`;
  const leave = () => actions.close(view.id);
  /** @type {Parts} */
  const parts = {
    title: h('h2', { id: titleId }),
    general: h('div', { class: 'modal-error', role: 'alert' }),
    body: h('div', { class: 'modal-body' }),
    close: h('button', { type: 'button', class: 'button', 'data-modal': 'close', onclick: leave }),
    submit: h('button', { type: 'submit', class: 'button solid primary', 'data-modal': 'submit' }),
  };
  const head = h(
    'header',
    {},
    parts.title,
    h('button', { type: 'button', class: 'icon', 'aria-label': 'Close', onclick: leave }, '×'),
  );
  const form = h(
    'form',
    { novalidate: true },
    head,
    parts.general,
    parts.body,
    h('footer', { class: 'dialog-buttons' }, parts.close, parts.submit),
  );
  const dialog = h('dialog', { class: 'modal', 'aria-labelledby': titleId, 'data-view-id': view.id }, form);
  document.body.append(dialog);
  /** @type {Modal} */
  const modal = { dialog, parts, form: createForm(), view, errors: {}, told: '{}' };
  // Escape closes a Slack modal through the app, so that it can be told.
  dialog.addEventListener('cancel', (event) => {
    if (event.target !== dialog) return;
    event.preventDefault();
    leave();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (modal.view.submit) void submit(modal, actions);
  });
  return modal;
}

/** @param {Modal} modal @param {PageState} state @param {ModalActions} actions */
function fill(modal, state, actions) {
  const { view, parts, form } = modal;
  parts.title.textContent = view.title?.text ?? '';
  parts.close.textContent = view.close?.text ?? (view.submit ? 'Cancel' : 'Close');
  parts.submit.textContent = view.submit?.text ?? '';
  parts.submit.hidden = !view.submit;
  /** @type {Surface} */
  const surface = {
    names: state,
    form,
    dispatch: (action) => actions.act(view.id, action, form.values(modal.view.blocks)),
    edited: (blockId) => {
      delete modal.errors[blockId];
      showErrors(modal);
    },
  };
  patchBlocks(parts.body, modal.view.blocks, surface);
  showErrors(modal);
}

/** Takes over the app's errors once; what the person has since corrected stays corrected.
 * @param {Modal} modal @param {Record<string, string>} errors */
function tell(modal, errors) {
  const told = JSON.stringify(errors);
  if (told === modal.told) return;
  modal.told = told;
  modal.errors = { ...errors };
  showErrors(modal);
}

/** @param {Modal} modal @param {boolean} isTop */
function open({ dialog, parts }, isTop) {
  if (dialog.open === isTop) return;
  if (!isTop) return dialog.close();
  dialog.showModal();
  const first = parts.body.querySelector('input, textarea, select, button');
  /** @type {HTMLElement} */ (first ?? (parts.submit.hidden ? parts.close : parts.submit)).focus();
}

/** @param {Modal} modal */
function showErrors({ parts, errors }) {
  /** @type {Set<string>} */
  const shown = new Set();
  for (const block of parts.body.querySelectorAll('.block')) {
    const slot = block.querySelector('.input-error');
    const id = block.getAttribute('data-block-id') ?? '';
    if (!slot) continue;
    shown.add(id);
    const text = errors[id] ?? '';
    if (slot.textContent !== text) slot.textContent = text;
    const control = block.querySelector('[data-action-id]');
    if (text) control?.setAttribute('aria-invalid', 'true');
    else control?.removeAttribute('aria-invalid');
  }
  const rest = Object.entries(errors).filter(([id]) => !shown.has(id));
  parts.general.textContent = rest.map(([, text]) => text).join(' ');
}

/** @param {Modal} modal @param {ModalActions} actions */
async function submit(modal, actions) {
  const { parts, form, view } = modal;
  modal.errors = complaints(view.blocks, form);
  showErrors(modal);
  if (Object.keys(modal.errors).length > 0) {
    /** @type {HTMLElement | null} */ (parts.body.querySelector('[aria-invalid="true"]'))?.focus();
    return;
  }
  // The same errors may come back for this attempt, and are then news.
  modal.told = '{}';
  await pressed(parts.submit, () => actions.submit(view.id, form.values(view.blocks)));
}
