// Turns what went wrong into an HTTP answer that tells the sender what to do and gives nothing of the request back.
import { randomUUID } from 'node:crypto';
import { AppError } from '../../errors.ts';
import type { Log } from './delivery.ts';

export interface Refusal {
  status: number;
  message: string;
  retryAfterSeconds?: number;
}

const STATUS: Partial<Record<AppError['code'], number>> = { 'bad-input': 400, 'bad-signature': 401 };
const RETRY_AFTER_MS = 5000;

/** What fastify itself refuses; its own messages may quote the request. */
const FRAMEWORK: Record<number, string> = {
  400: 'The request is malformed. Send a POST with a JSON body.',
  408: 'The request took too long to arrive. Send it again.',
  413: 'The body is too large. Send only the token, the manifest or the lines around it.',
  415: 'Only JSON is taken here. Send the header content-type: application/json.',
};

export function refusalOf(error: unknown, log: Log): Refusal {
  if (error instanceof AppError) {
    const status = STATUS[error.code];
    if (status !== undefined) {
      log.warn({ code: error.code }, `a delivery was refused: ${error.message}`);
      return { status, message: error.message };
    }
    if (error.code === 'store-unavailable' || error.retry) {
      log.error({ code: error.code }, `a delivery could not be kept: ${error.message}`);
      const retryAfterSeconds = Math.ceil((error.retryAfterMs ?? RETRY_AFTER_MS) / 1000);
      return { status: 503, message: `${error.message} Send the alert again.`, retryAfterSeconds };
    }
  }
  const status = statusOf(error);
  const message = FRAMEWORK[status];
  return message === undefined ? unexpected(error, log) : { status, message };
}

function statusOf(error: unknown): number {
  const status =
    typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : 500;
  return typeof status === 'number' ? status : 500;
}

/** An unknown error's message may hold part of a body, so only its name and where it arose are logged. */
function unexpected(error: unknown, log: Log): Refusal {
  const reference = randomUUID().slice(0, 8);
  const name = error instanceof Error ? error.name : typeof error;
  const frames =
    error instanceof Error ? (error.stack ?? '').split('\n').filter((row) => /^\s+at /.test(row)) : [];
  const known = error instanceof AppError ? { code: error.code, problem: error.message } : {};
  log.error({ reference, name, frames, ...known }, 'a request could not be handled');
  return {
    status: 500,
    message: `Something went wrong here. Send it again, and ask whoever runs Tourniquet to look for reference ${reference}.`,
  };
}
