// @ts-check
// Starts the page: listens to the server's state, draws it, and sends back what the person does.
import { patchBlocks } from './blocks/blocks.js';
import { createForm } from './blocks/form.js';
import { byId, h, patchList } from './dom.js';
import { channelLabel, partnerOf } from './names.js';
import { createModals } from './panes/modals.js';
import { createPane } from './panes/pane.js';
import { drawSidebar } from './panes/sidebar.js';
import { complain, showNotices } from './panes/toasts.js';
import { post } from './post.js';
import { isHome, isReply, markRead, moveTo, session, settle } from './session.js';

/** @import { Channel, Form, PageMessage, PageState, Surface } from './types.d.ts' */

/** @type {PageState | undefined} */
let state;
/** @type {EventSource | undefined} */
let source;
/** What is half-entered into messages and the App Home, per person. @type {Map<string, Form>} */
const forms = new Map();

const modals = createModals({
  submit: async (viewId, values) => {
    await post('/page/submit', { user: session.user, viewId, values });
  },
  close: (viewId) => void post('/page/close', { user: session.user, viewId }),
  act: async (viewId, action, values) => {
    await post('/page/action', { user: session.user, container: { type: 'view', viewId }, action, values });
  },
});
const channelPane = createPane(byId('messages'), (text) => send(text, null));
const threadPane = createPane(byId('replies'), (text) => send(text, session.thread));

/** @param {string} user */
function connect(user) {
  source?.close();
  source = new EventSource(`/page/events?user=${encodeURIComponent(user)}`);
  source.onmessage = (event) => {
    byId('connection').textContent = '';
    state = JSON.parse(event.data);
    draw();
  };
  source.onerror = () => {
    const gaveUp = source?.readyState === EventSource.CLOSED;
    byId('connection').textContent = gaveUp ? `Nobody here has the id "${user}".` : 'Reconnecting…';
  };
}

/** @param {string} text @param {string | null} threadTs */
function send(text, threadTs) {
  const body = { user: session.user, channel: session.place, text };
  if (!text.startsWith('/')) return post('/page/message', threadTs ? { ...body, threadTs } : body);
  if (!threadTs) return post('/page/slash', body);
  complain(`${text.split(/\s/)[0]} is not supported in threads. Send it in the channel.`);
  return Promise.resolve(false);
}

/** @param {string} place */
function open(place) {
  moveTo(place);
  draw();
  if (isHome()) void post('/page/home', { user: session.user });
  else channelPane.focus();
}

/** @param {string | null} ts */
function openThread(ts) {
  session.thread = ts;
  draw();
  (ts ? threadPane : channelPane).focus();
}

/** @param {string} user */
function become(user) {
  if (user === session.user) return;
  session.user = user;
  state = undefined;
  connect(user);
  if (isHome()) void post('/page/home', { user });
}

/** @param {string} key @param {Surface['names']} names @param {() => PageMessage['blocks']} blocks @param {Record<string, unknown>} container @returns {Surface} */
function surfaceFor(key, names, blocks, container) {
  const form = forms.get(`${session.user} ${key}`) ?? createForm();
  forms.set(`${session.user} ${key}`, form);
  return {
    names,
    form,
    async dispatch(action) {
      const values = form.values(blocks() ?? []);
      await post('/page/action', { user: session.user, container, action, values });
    },
  };
}

function draw() {
  if (!state) return;
  settle(state);
  markRead(state);
  drawSidebar(state, {
    open,
    become,
    runDemo: async (id) => void (await post('/page/demo', { user: session.user, id })),
  });
  const channel = state.channels.find(({ id }) => id === session.place);
  drawHead(state, channel);
  byId('messages').hidden = isHome();
  byId('home').hidden = !isHome();
  if (isHome()) drawHome(state);
  // Shown before it is filled: a hidden text box has no height to grow to.
  byId('thread').hidden = !channel || session.thread === null;
  if (channel) drawPanes(state, channel);
  showPointedAt();
  modals.draw(state);
  showNotices(state.notices, (notice) => void post('/page/dismiss', { user: session.user, notice }));
}

/** A permalink shows its message once; after that the person scrolls where they like. */
function showPointedAt() {
  const { pointedAt, thread } = session;
  const pane = byId(thread ? 'replies' : 'messages');
  const message = pointedAt && pane.querySelector(`[data-ts="${CSS.escape(pointedAt)}"]`);
  if (!message) return;
  session.pointedAt = null;
  message.classList.add('pointed-at');
  message.scrollIntoView({ block: 'center' });
}

/** @param {PageState} now @param {Channel | undefined} channel */
function drawHead(now, channel) {
  const bot = now.people.find((person) => person.isBot);
  const isAppIm = channel !== undefined && (partnerOf(channel, now)?.isBot ?? false);
  const im = now.channels.find((one) => one.isIm && partnerOf(one, now)?.isBot);
  const label = channel ? channelLabel(channel, now) : (bot?.realName ?? 'App');
  byId('place').textContent = channel && !channel.isIm ? `# ${label}` : label;
  byId('topic').textContent = channel?.topic ?? '';
  byId('thread-place').textContent = channel && !channel.isIm ? `# ${label}` : label;
  byId('tabs').hidden = !(isHome() || isAppIm);
  const tab = (/** @type {string} */ name, /** @type {string} */ place) => ({
    key: name,
    print: `${place} ${session.place}`,
    make: () =>
      h(
        'button',
        {
          type: 'button',
          'data-action-id': `tab-${name}`,
          'aria-current': place === session.place && 'page',
          onclick: () => open(place),
        },
        name,
      ),
  });
  patchList(byId('tabs'), [tab('Home', 'home'), ...(im ? [tab('Messages', im.id)] : [])]);
}

/** @param {PageState} now */
function drawHome(now) {
  const blocks = now.home?.blocks ?? [
    { type: 'section', text: { type: 'plain_text', text: 'This app has not published its home yet.' } },
  ];
  const surface = surfaceFor('home', now, () => state?.home?.blocks, {
    type: 'view',
    viewId: now.home?.id ?? '',
  });
  patchBlocks(byId('home'), blocks, surface);
}

/** @param {PageState} now @param {Channel} channel */
function drawPanes(now, channel) {
  const all = now.messages[channel.id] ?? [];
  const label = channelLabel(channel, now);
  const find = (/** @type {string} */ ts) =>
    state?.messages[channel.id]?.find((message) => message.ts === ts);
  const common = {
    viewer: now.viewer,
    surfaceOf: (/** @type {string} */ ts) =>
      surfaceFor(`${channel.id} ${ts}`, now, () => find(ts)?.blocks, {
        type: 'message',
        channel: channel.id,
        ts,
      }),
    repliesTo: (/** @type {string} */ ts) =>
      all.filter((message) => isReply(message) && message.threadTs === ts),
  };
  channelPane.draw({
    ...common,
    key: `${now.viewer} ${channel.id}`,
    messages: all.filter((message) => !isReply(message)),
    openThread,
    intro: channel.isIm
      ? `This conversation is between you and ${label}.`
      : `This is the beginning of #${label}.${now.demos.length > 0 ? ' Press a button under “Try it” to make something happen.' : ''}`,
    placeholder: channel.isIm ? `Message ${label}` : `Message #${label}`,
    commands: now.commands,
  });
  const { thread } = session;
  if (thread === null) return;
  threadPane.draw({
    ...common,
    key: `${now.viewer} ${channel.id} ${thread}`,
    messages: all.filter((message) => message.ts === thread || message.threadTs === thread),
    openThread: null,
    intro: '',
    placeholder: 'Reply…',
    commands: [],
  });
}

byId('thread-close').addEventListener('click', () => openThread(null));
connect(session.user);
