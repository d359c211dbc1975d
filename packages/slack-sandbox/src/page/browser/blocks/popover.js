// @ts-check
// A small menu that opens beside its button, above everything else on the page.
import { h } from '../dom.js';

let count = 0;

/**
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} content
 * @param {() => void} [closed]
 * @returns {HTMLElement} button and content, to be placed together
 */
export function popover(button, content, closed) {
  content.id = `popover-${++count}`;
  content.setAttribute('popover', 'auto');
  content.classList.add('popover');
  button.setAttribute('popovertarget', content.id);
  button.setAttribute('aria-expanded', 'false');
  content.addEventListener('toggle', (event) => {
    const open = /** @type {ToggleEvent} */ (event).newState === 'open';
    button.setAttribute('aria-expanded', String(open));
    if (open) {
      beside(button, content);
      /** @type {HTMLElement | null} */ (content.querySelector('button, input'))?.focus();
    } else closed?.();
  });
  content.addEventListener('keydown', walk);
  return h('span', { class: 'with-popover' }, button, content);
}

/** @param {HTMLElement} button @param {HTMLElement} content */
function beside(button, content) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = content;
  const below = at.bottom + height + 8 < window.innerHeight;
  content.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - height - 4)}px`;
  content.style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - width - 8))}px`;
}

/** @param {KeyboardEvent} event */
function walk(event) {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const root = /** @type {HTMLElement} */ (event.currentTarget);
  const items = [...root.querySelectorAll('button, input')];
  const at = items.indexOf(/** @type {Element} */ (document.activeElement));
  const next = items[(at + (event.key === 'ArrowDown' ? 1 : items.length - 1)) % items.length];
  if (next instanceof HTMLElement) next.focus();
  event.preventDefault();
}
