// @ts-check
// Builds elements and redraws lists in place, so that a state push disturbs nothing a person is doing.
/** @import { Entry } from './types.d.ts' */

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * An element with attributes, listeners (`onclick: fn`) and children. Strings always become text nodes.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') {
      node.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else node.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children.flat()) if (child) node.append(child);
  return node;
}

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`The page has no element #${id}; index.html and the scripts do not match.`);
  return node;
}

/** @type {WeakMap<Element, Map<string, { node: HTMLElement, print: string }>>} */
const drawn = new WeakMap();

/**
 * Makes the children of `parent` equal to `entries`, touching only those whose print changed.
 * @param {Element} parent
 * @param {Entry[]} entries
 */
export function patchList(parent, entries) {
  const before = drawn.get(parent) ?? new Map();
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  /** @type {Map<string, { node: HTMLElement, print: string }>} */
  const after = new Map();
  for (const entry of entries) after.set(entry.key, current(before.get(entry.key), entry));
  for (const [key, { node }] of before) if (after.get(key)?.node !== node) node.remove();
  let place = parent.firstChild;
  for (const { node } of after.values()) {
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
  drawn.set(parent, after);
  if (focused && !focused.isConnected) focusHeir(parent, focused);
}

/**
 * @param {{ node: HTMLElement, print: string } | undefined} old
 * @param {Entry} entry
 */
function current(old, entry) {
  if (!old) return { node: entry.make(), print: entry.print };
  if (old.print === entry.print) return old;
  if (!entry.update) return { node: entry.make(), print: entry.print };
  entry.update(old.node);
  return { node: old.node, print: entry.print };
}

/** A redrawn button is still the button that the person was on.
 * @param {Element} parent
 * @param {Element} focused
 */
function focusHeir(parent, focused) {
  const action = focused.getAttribute('data-action-id');
  const heir = action && parent.querySelector(`[data-action-id="${CSS.escape(action)}"]`);
  if (heir instanceof HTMLElement) heir.focus({ preventScroll: true });
}
