// Builds the payloads that Slack sends to the app, field by field as Slack documents them.
import type { State } from '../state/state.ts';
import { toWire, viewOutput } from '../state/wire.ts';
import type { Channel, Json, Message, Person, StateValues, View } from '../types.ts';

function teamOf(person: Person, state: State): string {
  return person.teamId ?? state.team.id;
}

function channelName(channel: Channel): string {
  if (channel.isIm) return 'directmessage';
  return channel.isPrivate ? 'privategroup' : channel.name;
}

function envelopeFields(person: Person, state: State): Json {
  return {
    user: { id: person.id, username: person.name, name: person.name, team_id: teamOf(person, state) },
    team: { id: state.team.id, domain: state.team.domain },
    api_app_id: state.appId,
    token: state.verificationToken,
    enterprise: null,
    is_enterprise_install: false,
  };
}

export function slashPayload(
  state: State,
  person: Person,
  channel: Channel,
  given: { command: string; text: string; triggerId: string; responseUrl: string },
): Json {
  return {
    token: state.verificationToken,
    team_id: teamOf(person, state),
    team_domain: state.team.domain,
    channel_id: channel.id,
    channel_name: channelName(channel),
    user_id: person.id,
    user_name: person.name,
    command: given.command,
    text: given.text,
    api_app_id: state.appId,
    is_enterprise_install: 'false',
    response_url: given.responseUrl,
    trigger_id: given.triggerId,
  };
}

/** Slack does not store ephemeral messages, so their clicks come without the message. */
export function messageActionPayload(
  state: State,
  person: Person,
  message: Message,
  given: { action: Json; values: StateValues; triggerId: string; responseUrl: string },
): Json {
  const channel = state.channel(message.channel);
  const isEphemeral = message.ephemeralTo !== undefined;
  return {
    type: 'block_actions',
    ...envelopeFields(person, state),
    container: {
      type: 'message',
      message_ts: message.ts,
      channel_id: channel.id,
      is_ephemeral: isEphemeral,
      ...(message.threadTs ? { thread_ts: message.threadTs } : {}),
    },
    trigger_id: given.triggerId,
    channel: { id: channel.id, name: channelName(channel) },
    ...(isEphemeral ? {} : { message: toWire(message, state.team.id, true) }),
    state: { values: given.values },
    response_url: given.responseUrl,
    actions: [given.action],
  };
}

export function viewActionPayload(
  state: State,
  person: Person,
  view: View,
  given: { action: Json; values: StateValues; triggerId: string },
): Json {
  return {
    type: 'block_actions',
    ...envelopeFields(person, state),
    container: { type: 'view', view_id: view.id },
    trigger_id: given.triggerId,
    view: viewOutput(state, view, given.values),
    actions: [given.action],
  };
}

export function submissionPayload(
  state: State,
  person: Person,
  view: View,
  given: { values: StateValues; triggerId: string },
): Json {
  return {
    type: 'view_submission',
    ...envelopeFields(person, state),
    trigger_id: given.triggerId,
    view: viewOutput(state, view, given.values),
    response_urls: [],
  };
}

export function closedPayload(state: State, person: Person, view: View, isCleared: boolean): Json {
  return {
    type: 'view_closed',
    ...envelopeFields(person, state),
    view: viewOutput(state, view),
    is_cleared: isCleared,
  };
}
