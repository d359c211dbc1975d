// @ts-check
// The left column: channels, direct messages, the app, and the demo's own buttons.
import { pressed } from '../blocks/buttons.js';
import { byId, h, patchList } from '../dom.js';
import { avatar, channelLabel, partnerOf } from '../names.js';
import { isHome, session, unread } from '../session.js';
/** @import { Channel, Entry, PageState } from '../types.d.ts' */

/**
 * @typedef {object} SidebarActions
 * @property {(place: string) => void} open
 * @property {(user: string) => void} become
 * @property {(id: string) => Promise<void>} runDemo
 */

/** @param {PageState} state @param {SidebarActions} actions */
export function drawSidebar(state, actions) {
  byId('team').textContent = state.team.name;
  const entry = (/** @type {Channel} */ channel) => channelEntry(channel, state, actions);
  patchList(byId('channels'), state.channels.filter((channel) => !channel.isIm).map(entry));
  patchList(byId('ims'), state.channels.filter((channel) => channel.isIm).map(entry));
  patchList(byId('apps'), [appEntry(state, actions)]);
  drawPeople(state, actions);
  drawDemos(state, actions);
}

/** @param {Channel} channel @param {PageState} state @param {SidebarActions} actions @returns {Entry} */
function channelEntry(channel, state, actions) {
  const label = channelLabel(channel, state);
  const count = unread(state, channel.id);
  const isBot = partnerOf(channel, state)?.isBot ?? false;
  const update = (/** @type {HTMLElement} */ node) => {
    node.classList.toggle('unread', count > 0);
    mark(node, channel.id === session.place);
    const badge = channel.isIm && count > 0 && h('span', { class: 'badge' }, String(count));
    const unseen = count > 0 && h('span', { class: 'unseen' }, ' (unread)');
    const icon = channel.isIm
      ? avatar(label, isBot)
      : h('span', { class: 'hash', 'aria-hidden': 'true' }, '#');
    node.replaceChildren(
      ...[icon, h('span', { class: 'entry-name' }, label), badge, unseen].filter((child) => child !== false),
    );
  };
  return {
    key: channel.id,
    print: JSON.stringify([label, count, isBot, channel.id === session.place]),
    make: () => {
      const node = h('button', {
        type: 'button',
        class: 'entry',
        'data-channel': channel.id,
        onclick: () => actions.open(channel.id),
      });
      update(node);
      return node;
    },
    update,
  };
}

/** @param {HTMLElement} node @param {boolean} isCurrent */
function mark(node, isCurrent) {
  if (isCurrent) node.setAttribute('aria-current', 'page');
  else node.removeAttribute('aria-current');
}

/** @param {PageState} state @param {SidebarActions} actions @returns {Entry} */
function appEntry(state, actions) {
  const name = state.people.find((person) => person.isBot)?.realName ?? 'App';
  return {
    key: 'home',
    print: `${name} ${isHome()}`,
    make: () => {
      const node = h('button', {
        type: 'button',
        class: 'entry',
        'data-app-home': true,
        onclick: () => actions.open('home'),
      });
      node.append(avatar(name, true), h('span', { class: 'entry-name' }, name));
      mark(node, isHome());
      return node;
    },
    update: (node) => mark(node, isHome()),
  };
}

/** @param {PageState} state @param {SidebarActions} actions */
function drawPeople(state, actions) {
  const people = state.people.filter((person) => !person.isBot && !person.isDeactivated);
  patchList(
    byId('people'),
    people.map((person) => {
      const update = (/** @type {HTMLElement} */ node) =>
        node.setAttribute('aria-pressed', String(person.id === state.viewer));
      return {
        key: person.id,
        print: `${JSON.stringify(person)} ${person.id === state.viewer}`,
        make: () => {
          const title = [person.title, person.isGuest && !/guest/i.test(person.title) ? 'guest' : '']
            .filter(Boolean)
            .join(', ');
          const names = h(
            'span',
            { class: 'person-names' },
            h('strong', {}, person.realName),
            h('small', {}, title),
          );
          const node = h(
            'button',
            {
              type: 'button',
              class: 'person',
              'data-user': person.id,
              title: `${person.realName}: ${title}`,
              onclick: () => actions.become(person.id),
            },
            avatar(person.realName),
            names,
          );
          update(node);
          return node;
        },
        update,
      };
    }),
  );
}

/** @param {PageState} state @param {SidebarActions} actions */
function drawDemos(state, actions) {
  byId('demo').hidden = state.demos.length === 0;
  patchList(
    byId('demos'),
    state.demos.map((demo) => ({
      key: demo.id,
      print: JSON.stringify(demo),
      make: () => {
        const button = h(
          'button',
          {
            type: 'button',
            class: 'demo-button',
            'data-demo': demo.id,
            'aria-describedby': `demo-${demo.id}`,
          },
          demo.label,
        );
        button.addEventListener('click', () => pressed(button, () => actions.runDemo(demo.id)));
        return h('div', { class: 'demo-row' }, button, h('p', { id: `demo-${demo.id}` }, demo.description));
      },
    })),
  );
}
