// @ts-check
// The list of slash commands that opens above the composer while a command's name is being typed.
import { h } from '../dom.js';

/** @import { SlashCommand } from '../types.d.ts' */

let count = 0;

/**
 * @param {HTMLTextAreaElement} input
 * @param {(command: SlashCommand) => void} choose
 */
export function createCommandMenu(input, choose) {
  const id = `commands-${++count}`;
  const root = h('div', { class: 'commands', id, role: 'listbox', 'aria-label': 'Commands', hidden: true });
  /** @type {SlashCommand[]} */
  let offered = [];
  let at = 0;
  input.setAttribute('aria-autocomplete', 'list');
  input.setAttribute('aria-controls', id);

  const draw = () => {
    root.hidden = offered.length === 0;
    root.replaceChildren(
      ...offered.map((command, index) => option(command, `${id}-${index}`, index === at, choose)),
    );
    if (root.hidden) input.removeAttribute('aria-activedescendant');
    else input.setAttribute('aria-activedescendant', `${id}-${at}`);
    root.children[at]?.scrollIntoView({ block: 'nearest' });
  };
  return {
    root,
    /** @param {SlashCommand[]} commands */
    offer(commands) {
      offered = commands;
      at = 0;
      draw();
    },
    /** @param {KeyboardEvent} event @returns {boolean} whether the key was meant for the menu */
    take(event) {
      const offer = offered[at];
      if (!offer || event.shiftKey) return false;
      if (event.key === 'ArrowDown') at = (at + 1) % offered.length;
      else if (event.key === 'ArrowUp') at = (at + offered.length - 1) % offered.length;
      else if (event.key === 'Escape') offered = [];
      else if (event.key === 'Tab' || (event.key === 'Enter' && input.value !== offer.command)) choose(offer);
      else return false;
      draw();
      return true;
    },
  };
}

/** @param {SlashCommand} command @param {string} id @param {boolean} selected @param {(command: SlashCommand) => void} choose */
function option(command, id, selected, choose) {
  const choosing = (/** @type {Event} */ event) => {
    // Keeps the focus in the text box, whose blur would close this menu first.
    event.preventDefault();
    choose(command);
  };
  return h(
    'div',
    {
      class: 'command',
      id,
      role: 'option',
      'aria-selected': String(selected),
      'data-command': command.command,
      onmousedown: choosing,
    },
    h('span', {}, h('strong', {}, command.command), h('span', { class: 'hint' }, ` ${command.usageHint}`)),
    h('span', { class: 'muted' }, command.description),
  );
}
