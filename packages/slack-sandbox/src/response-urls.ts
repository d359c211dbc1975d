// Serves the response_url of commands and clicks: five messages within half an hour, no token needed.
import type { Core } from './core.ts';
import { newContent } from './message-content.ts';
import { newSecret } from './random.ts';
import { SlackError } from './slack-error.ts';
import type { State } from './state.ts';
import type { Json } from './types.ts';

const MAX_USES = 5;
const LIFETIME_MS = 30 * 60_000;

interface Grant {
  user: string;
  channel: string;
  /** The message whose button was clicked. */
  messageTs?: string;
  threadTs?: string;
  at: number;
  uses: number;
}

export interface ResponseUrls {
  issue(grant: { user: string; channel: string; messageTs?: string; threadTs?: string }): string;
  find(path: string): Grant | undefined;
}

export function createResponseUrls(origin: string, now: () => number): ResponseUrls {
  const grants = new Map<string, Grant>();
  return {
    issue(grant) {
      const path = `/actions/${newSecret('')}`;
      grants.set(path, { ...grant, at: now(), uses: 0 });
      return origin + path;
    },
    find: (path) => grants.get(path),
  };
}

export function respond(core: Core, path: string, args: Json): Json {
  const { state } = core;
  const grant = core.responseUrls.find(path);
  if (!grant) throw new SlackError('invalid_url');
  if (state.now() - grant.at > LIFETIME_MS) throw new SlackError('expired_url');
  if (grant.uses >= MAX_USES) throw new SlackError('used_url');
  grant.uses += 1;
  const original = state.messages.find(
    (message) => message.ts === grant.messageTs && message.channel === grant.channel,
  );
  if (args.delete_original === true) {
    if (original) state.removeMessage(original);
    return { ok: true };
  }
  const { text, blocks, metadata } = newContent(args);
  if (args.replace_original === true && original) {
    original.text = text;
    if (blocks) original.blocks = blocks;
    else delete original.blocks;
    if (metadata) original.metadata = metadata;
    state.changes.changed();
    return { ok: true };
  }
  const isPublic = args.response_type === 'in_channel';
  const threadTs = typeof args.thread_ts === 'string' ? args.thread_ts : undefined;
  postAsBot(state, grant.channel, {
    text,
    ...(blocks ? { blocks } : {}),
    ...(threadTs ? { threadTs } : {}),
    ...(isPublic ? {} : { ephemeralTo: grant.user }),
  });
  return { ok: true };
}

export function postAsBot(
  state: State,
  channel: string,
  message: Omit<Parameters<State['addMessage']>[0], 'channel' | 'user' | 'botId'>,
): ReturnType<State['addMessage']> {
  return state.addMessage({ ...message, channel, user: state.botUserId, botId: state.botId });
}
