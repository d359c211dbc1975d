// @ts-check
// Short notices in the corner: those of the emulator, and the page's own complaints.
import { byId, h, patchList } from '../dom.js';

/** @import { Notice } from '../types.d.ts' */

const root = byId('toasts');
/** @type {Notice[]} */
let own = [];
/** @type {Notice[]} */
let fromServer = [];
/** @type {(id: number) => void} */
let dismissOnServer = () => {};

/** @param {string} text */
export function complain(text) {
  const lowest = Math.min(0, ...own.map((notice) => notice.id));
  own = [...own.filter((notice) => notice.text !== text), { id: lowest - 1, text, tone: 'error' }];
  draw();
}

/** @param {Notice[]} notices @param {(id: number) => void} dismiss */
export function showNotices(notices, dismiss) {
  fromServer = notices;
  dismissOnServer = dismiss;
  draw();
}

/** @param {number} id */
function dismiss(id) {
  if (id >= 0) dismissOnServer(id);
  own = own.filter((notice) => notice.id !== id);
  fromServer = fromServer.filter((notice) => notice.id !== id);
  draw();
}

function draw() {
  // Outside an open modal nothing can be clicked.
  const host = document.querySelector('dialog.modal[open]') ?? document.body;
  if (root.parentElement !== host) host.append(root);
  patchList(
    root,
    [...fromServer, ...own].map((notice) => ({
      key: String(notice.id),
      print: notice.text,
      make: () =>
        h(
          'div',
          { class: `toast ${notice.tone}`, role: notice.tone === 'error' ? 'alert' : 'status' },
          h('span', {}, notice.text),
          h('button', { type: 'button', 'aria-label': 'Dismiss', onclick: () => dismiss(notice.id) }, '×'),
        ),
    })),
  );
}
