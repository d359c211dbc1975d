// @ts-check
// Where a person types: a growing text box that completes slash commands and keeps a draft per conversation.

import { h } from '../dom.js';
import { createCommandMenu } from './command-menu.js';
/** @import { SlashCommand } from '../types.d.ts' */

/** @param {(text: string) => Promise<boolean>} send */
export function createComposer(send) {
  const { input, button, usage, box } = parts(() => submit());
  const menu = createCommandMenu(input, ({ command }) => fillIn(`${command} `));
  /** @type {Map<string, string>} */
  const drafts = new Map();
  /** @type {SlashCommand[]} */
  let commands = [];
  let key = '';

  const typed = () => {
    drafts.set(key, input.value);
    const isName = /^\/\S*$/.test(input.value);
    menu.offer(isName ? commands.filter(({ command }) => command.startsWith(input.value)) : []);
    usage.textContent = usageOf(commands, input.value);
    button.disabled = input.value.trim() === '';
    grow(input);
  };
  /** @param {string} text */
  const fillIn = (text) => {
    input.value = text;
    typed();
  };
  const submit = async () => {
    const text = input.value.trim();
    if (text === '') return;
    const from = key;
    fillIn('');
    if (await send(text)) return;
    // What could not be sent goes back where it was typed, unless something newer stands there.
    drafts.set(from, drafts.get(from) || text);
    if (from === key) fillIn(drafts.get(from) ?? '');
  };
  input.addEventListener('input', typed);
  listenToKeys(input, menu, submit);
  return {
    root: h('div', { class: 'composer' }, menu.root, box, usage),
    focus: () => input.focus(),
    /** @param {string} conversation @param {string} placeholder @param {SlashCommand[]} available */
    show(conversation, placeholder, available) {
      commands = available;
      input.placeholder = placeholder;
      input.setAttribute('aria-label', placeholder);
      if (conversation === key) return;
      key = conversation;
      fillIn(drafts.get(key) ?? '');
    },
  };
}

/** @param {() => void} submit */
function parts(submit) {
  const input = h('textarea', { rows: '1', autocomplete: 'off' });
  const button = h('button', { type: 'button', class: 'send', 'aria-label': 'Send', onclick: submit }, '➤');
  const usage = h('div', { class: 'usage', 'aria-live': 'polite' });
  const box = h('div', { class: 'composer-box' }, input, button);
  return { input, button, usage, box };
}

/** @param {SlashCommand[]} commands @param {string} text */
function usageOf(commands, text) {
  const known = commands.find(({ command }) => text.startsWith(`${command} `));
  return known ? `${known.command} ${known.usageHint}` : '';
}

/** @param {HTMLTextAreaElement} input @param {ReturnType<typeof createCommandMenu>} menu @param {() => void} submit */
function listenToKeys(input, menu, submit) {
  input.addEventListener('blur', () => menu.offer([]));
  input.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    if (menu.take(event)) {
      event.preventDefault();
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      submit();
    }
  });
}

/** @param {HTMLTextAreaElement} input */
function grow(input) {
  input.style.height = 'auto';
  input.style.height = `${Math.min(input.scrollHeight, 200)}px`;
}
