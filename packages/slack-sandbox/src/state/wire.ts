// Stored messages and views as Slack shows them to the app, in answers and in payloads alike.

import type { Json, Message, StateValues, View } from '../types.ts';
import type { State } from './state.ts';

export function toWire(message: Message, teamId: string, withMetadata: boolean): Json {
  return {
    type: 'message',
    ...(message.isTombstone ? { subtype: 'tombstone' } : {}),
    user: message.user,
    ts: message.ts,
    ...(message.botId ? { bot_id: message.botId } : {}),
    ...(message.botName ? { username: message.botName } : {}),
    text: message.text,
    team: teamId,
    ...(message.threadTs ? { thread_ts: message.threadTs } : {}),
    ...(message.blocks ? { blocks: message.blocks } : {}),
    ...(message.edited ? { edited: { user: message.user, ts: message.ts } } : {}),
    ...(withMetadata && message.metadata ? { metadata: message.metadata } : {}),
    ...(message.reactions.length > 0
      ? { reactions: message.reactions.map((reaction) => ({ ...reaction, count: reaction.users.length })) }
      : {}),
  };
}

export function viewOutput(state: State, view: View, values: StateValues = {}): Json {
  return {
    clear_on_close: false,
    notify_on_close: false,
    external_id: '',
    title: null,
    submit: null,
    close: null,
    ...view,
    team_id: state.team.id,
    app_id: state.appId,
    app_installed_team_id: state.team.id,
    bot_id: state.botId,
    state: { values },
  };
}
