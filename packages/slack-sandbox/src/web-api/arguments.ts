// Reads the arguments of a call, whichever way the client encoded them.
import type { IncomingMessage } from 'node:http';
import { SlackError } from '../slack-error.ts';
import { isRecord, type Json } from '../types.ts';

const MAX_BODY = 4 * 1024 * 1024;
const JSON_FIELDS = ['blocks', 'attachments', 'metadata', 'view'];

export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new SlackError('request_too_large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function parseArguments(body: string, contentType: string): Json {
  if (contentType.startsWith('application/json')) {
    const parsed = parseJson(body, 'invalid_json');
    if (!isRecord(parsed)) throw new SlackError('json_not_object');
    return parsed;
  }
  return Object.fromEntries(new URLSearchParams(body));
}

/** Form-encoded clients send blocks, metadata and views as JSON strings. */
export function decodeJsonFields(args: Json): Json {
  const decoded: Json = { ...args };
  for (const field of JSON_FIELDS) {
    const value = decoded[field];
    if (typeof value !== 'string') continue;
    if (value === '') delete decoded[field];
    else decoded[field] = parseJson(value, errorFor(field));
  }
  return decoded;
}

function errorFor(field: string): string {
  if (field === 'blocks') return 'invalid_blocks_format';
  return field === 'metadata' ? 'invalid_metadata_format' : 'invalid_arguments';
}

function parseJson(text: string, error: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SlackError(error);
  }
}

export function stringArg(args: Json, name: string): string | undefined {
  const value = args[name];
  if (value === undefined || value === null || value === '') return undefined;
  return typeof value === 'string' ? value : String(value);
}

export function requiredArg(args: Json, name: string): string {
  const value = stringArg(args, name);
  if (value === undefined)
    throw new SlackError('invalid_arguments', {
      response_metadata: { messages: [`[ERROR] missing required field: ${name}`] },
    });
  return value;
}

export function booleanArg(args: Json, name: string): boolean {
  return args[name] === true || args[name] === 'true' || args[name] === '1';
}

export interface Page<T> {
  items: T[];
  hasMore: boolean;
  nextCursor: string;
}

export function paginate<T>(items: T[], args: Json, defaultLimit: number): Page<T> {
  const limit = Math.min(Number(stringArg(args, 'limit') ?? defaultLimit) || defaultLimit, 1000);
  const cursor = stringArg(args, 'cursor');
  const start =
    cursor === undefined ? 0 : Number(Buffer.from(cursor, 'base64').toString().replace('at:', ''));
  if (!Number.isInteger(start)) throw new SlackError('invalid_cursor');
  const end = start + limit;
  const hasMore = end < items.length;
  const nextCursor = hasMore ? Buffer.from(`at:${end}`).toString('base64') : '';
  return { items: items.slice(start, end), hasMore, nextCursor };
}
