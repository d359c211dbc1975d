// What people do in their Slack client, and what the client does with the app's answer.

import { actionOf, initialValues, interactiveElements } from '../blocks/elements.ts';
import type { Core } from '../core.ts';
import { SlackError } from '../slack-error.ts';
import { postAsBot } from '../state/bot-message.ts';
import { viewOutput } from '../state/wire.ts';
import type { Channel, Delivery, Json, Message, Person, StateValues, View } from '../types.ts';
import { readContent } from '../web-api/message-content.ts';
import { messageActionPayload, slashPayload, viewActionPayload } from './payloads.ts';

export type ClickTarget = ({ channel: string; ts: string } | { viewId: string }) & {
  actionId: string;
  /** Tells elements with one action id apart, or chooses an option, a person, a date. */
  value?: string | string[];
};

export type Container = { channel: string; ts: string } | { viewId: string };

export function activePerson({ state }: Core, ref: string): Person {
  const person = state.person(ref);
  if (person.isDeactivated)
    throw new Error(
      `${person.name} is deactivated and cannot use Slack; forge a payload with sendInteractive.`,
    );
  return person;
}

function joinedChannel({ state }: Core, ref: string, person: Person): Channel {
  const channel = state.channel(ref);
  if (!channel.members.includes(person.id))
    throw new Error(`${person.name} is not a member of #${channel.name}; add them to its members first.`);
  return channel;
}

export async function slash(core: Core, user: string, channelRef: string, line: string): Promise<Delivery> {
  const { state } = core;
  const person = activePerson(core, user);
  const channel = joinedChannel(core, channelRef, person);
  const [, command = '', text = ''] = /^(\S+)\s*(.*)$/s.exec(line.trim()) ?? [];
  if (!state.commands.some((known) => known.command === command)) {
    state.notify(person.id, `${command} is not a valid command.`);
    return { status: 'dispatch_failed', payload: {} };
  }
  const payload = slashPayload(state, person, channel, {
    command,
    text: escapeText(core, text),
    triggerId: core.triggers.issue(person.id),
    responseUrl: core.responseUrls.issue({ user: person.id, channel: channel.id }),
  });
  const delivery = await core.sockets.deliver('slash_commands', payload);
  if (delivery.status !== 'acked')
    state.notify(person.id, `${command} failed with the error ${delivery.status}`);
  else showAckText(core, person, channel, delivery.payload);
  return delivery;
}

/** An ack may carry the answer to the command. */
function showAckText({ state }: Core, person: Person, channel: Channel, payload: Json): void {
  if (typeof payload.text !== 'string' && !Array.isArray(payload.blocks)) return;
  try {
    const { text = '', blocks } = readContent(payload);
    const isPublic = payload.response_type === 'in_channel';
    postAsBot(state, channel.id, {
      text,
      ...(blocks ? { blocks } : {}),
      ...(isPublic ? {} : { ephemeralTo: person.id }),
    });
  } catch (error) {
    if (!(error instanceof SlackError)) throw error;
    state.notify(person.id, `The app answered with something that Slack refuses: ${error.code}`);
  }
}

/** Slack escapes what people type and turns names into mentions. */
function escapeText({ state }: Core, text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return escaped
    .replace(/(^|\s)@([\w.-]+)/g, (all, before: string, name: string) => {
      const person = state.people.find((candidate) => candidate.name === name);
      if (person) return `${before}<@${person.id}|${person.name}>`;
      const group = state.userGroups.find((candidate) => candidate.handle === name);
      return group ? `${before}<!subteam^${group.id}|@${group.handle}>` : all;
    })
    .replace(/(^|\s)#([\w-]+)/g, (all, before: string, name: string) => {
      const channel = state.channels.find((candidate) => candidate.name === name && !candidate.isIm);
      return channel ? `${before}<#${channel.id}|${channel.name}>` : all;
    })
    .replace(/(^|\s)(https?:\/\/\S+)/g, '$1<$2>');
}

export async function click(core: Core, user: string, target: ClickTarget): Promise<Delivery> {
  const person = activePerson(core, user);
  const container = find(core, person, target);
  const blocks = container.blocks ?? [];
  const candidates = interactiveElements(blocks).filter(({ actionId }) => actionId === target.actionId);
  const placed =
    candidates.length > 1 && target.value !== undefined
      ? candidates.find(({ element }) => element.value === target.value)
      : candidates[0];
  const isOtherButton =
    placed?.element.type === 'button' && target.value !== undefined && placed.element.value !== target.value;
  if (!placed || isOtherButton) {
    const known = interactiveElements(blocks).map(({ actionId, element }) => `${actionId}=${element.value}`);
    throw new Error(
      `No element ${target.actionId}${target.value === undefined ? '' : ` with value ${target.value}`} to click; there are: ${known.join(', ') || 'none'}.`,
    );
  }
  const action = actionOf(placed, target.value, core.state.nextTs());
  return await act(core, person.id, target, action, initialValues(blocks));
}

/** Sends an action as given: the page's way, which knows what is selected. */
export async function act(
  core: Core,
  user: string,
  where: Container,
  action: Json,
  values: StateValues,
): Promise<Delivery> {
  const { state } = core;
  const person = activePerson(core, user);
  const container = find(core, person, where);
  const given = {
    action: { action_ts: state.nextTs(), ...action },
    values,
    triggerId: core.triggers.issue(person.id),
  };
  const payload = isMessage(container)
    ? messageActionPayload(state, person, container, {
        ...given,
        responseUrl: core.responseUrls.issue({
          user: person.id,
          channel: container.channel,
          messageTs: container.ts,
        }),
      })
    : viewActionPayload(state, person, container, given);
  return await sendInteractive(core, payload, person.id);
}

export async function sendInteractive(core: Core, payload: Json, user?: string): Promise<Delivery> {
  const delivery = await core.sockets.deliver('interactive', payload);
  if (delivery.status !== 'acked' && user !== undefined)
    core.state.notify(user, `The app did not respond (${delivery.status}). Try again.`);
  return delivery;
}

function isMessage(container: Message | View): container is Message {
  return !('hash' in container);
}

function find(core: Core, person: Person, where: Container): Message | View {
  if ('viewId' in where) {
    const home = core.views.home(person.id);
    const view = [...core.views.stack(person.id), ...(home ? [home] : [])].find(
      ({ id }) => id === where.viewId,
    );
    if (!view) throw new Error(`${person.name} has no open view ${where.viewId}.`);
    return view;
  }
  const channel = joinedChannel(core, where.channel, person);
  const message = core.state.findMessage(channel.id, where.ts);
  if (!message || (message.ephemeralTo ?? person.id) !== person.id)
    throw new Error(`${person.name} sees no message ${where.ts} in #${channel.name}.`);
  return message;
}

export async function openHome(core: Core, user: string): Promise<boolean> {
  const { state } = core;
  const person = activePerson(core, user);
  const view = core.views.home(person.id);
  return await core.sendEvent({
    type: 'app_home_opened',
    user: person.id,
    channel: state.openIm(person.id).id,
    tab: 'home',
    event_ts: state.nextTs(),
    ...(view ? { view: viewOutput(state, view) } : {}),
  });
}

/** Somebody writes a message; the app hears of it where the bot is a member. */
export function say(core: Core, user: string, channelRef: string, text: string, threadTs?: string): Message {
  const { state } = core;
  const person = activePerson(core, user);
  const channel = joinedChannel(core, channelRef, person);
  const message = state.addMessage({
    channel: channel.id,
    user: person.id,
    text: escapeText(core, text).replaceAll(/<([@#][^|>]+)\|[^>]+>/g, '<$1>'),
    ...(threadTs ? { threadTs } : {}),
  });
  if (!channel.members.includes(state.botUserId)) return message;
  const event = {
    user: person.id,
    text: message.text,
    ts: message.ts,
    channel: channel.id,
    event_ts: message.ts,
    ...(threadTs ? { thread_ts: threadTs } : {}),
  };
  const type = channel.isIm ? 'im' : channel.isPrivate ? 'group' : 'channel';
  void core.sendEvent({ type: 'message', channel_type: type, ...event });
  if (message.text.includes(`<@${state.botUserId}>`)) void core.sendEvent({ type: 'app_mention', ...event });
  return message;
}
