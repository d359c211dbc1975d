// Serves the response_url of commands and clicks: five messages within half an hour, no token needed.

import type { Core } from '../core.ts';
import { SlackError } from '../slack-error.ts';
import { postAsBot } from '../state/bot-message.ts';
import type { Json } from '../types.ts';
import { newContent } from './message-content.ts';

const MAX_USES = 5;
const LIFETIME_MS = 30 * 60_000;

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
