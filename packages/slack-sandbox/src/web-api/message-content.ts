// Reads what a message is to say from the arguments of a call.

import { checkBlocks } from '../blocks/block-limits.ts';
import { SlackError, schemaError } from '../slack-error.ts';
import { withIds } from '../state/state.ts';
import { type Block, isRecord, type Json } from '../types.ts';
import { stringArg } from './arguments.ts';

export const TEXT_MAX = 40_000;

export interface Content {
  text?: string;
  blocks?: Block[];
  metadata?: Json;
}

export function readContent(args: Json): Content {
  const content: Content = {};
  const text = stringArg(args, 'text');
  if (text !== undefined) content.text = text;
  if (args.blocks !== undefined && args.blocks !== null) {
    const problems = checkBlocks(args.blocks, 'message');
    if (problems.length > 0) throw schemaError('invalid_blocks', problems);
    content.blocks = withIds(args.blocks as Block[]);
  }
  if (args.metadata !== undefined && args.metadata !== null) content.metadata = readMetadata(args.metadata);
  return content;
}

/** An empty object takes the metadata away on an update. */
function readMetadata(metadata: unknown): Json {
  if (!isRecord(metadata)) throw new SlackError('invalid_metadata_format');
  if (Object.keys(metadata).length === 0) return metadata;
  if (typeof metadata.event_type !== 'string' || !isRecord(metadata.event_payload))
    throw new SlackError('invalid_metadata_schema');
  return metadata;
}

/** New messages need something to show; Slack cuts their text at 40,000 characters. */
export function newContent(args: Json): Content & { text: string } {
  const content = readContent(args);
  const isEmpty = content.text === undefined && (content.blocks === undefined || content.blocks.length === 0);
  if (isEmpty && args.attachments === undefined) throw new SlackError('no_text');
  return { ...content, text: (content.text ?? '').slice(0, TEXT_MAX) };
}
