// Puts what the app says into a channel, under the name of its bot.

import type { Message } from '../types.ts';
import type { NewMessage, State } from './state.ts';

export function postAsBot(
  state: State,
  channel: string,
  message: Omit<NewMessage, 'channel' | 'user' | 'botId'>,
): Message {
  return state.addMessage({ ...message, channel, user: state.botUserId, botId: state.botId });
}
