// Sends reports to the signed endpoint: the same id for the same report, again while it is not taken, and nowhere else.
import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { Agent, fetch, type Response } from 'undici';
import { scrub } from '../../domain/token/leak-material.ts';
import { AppError } from '../../errors.ts';
import type { Secret } from '../../secret.ts';
import { printable } from '../input.ts';
import type { Waiting } from '../terminal.ts';

export interface Endpoint {
  url: URL;
  /** TOURNIQUET_SOURCE_REPORT. */
  secret: Secret;
}

export type Sent =
  | { kind: 'taken'; incidents: { id: string; created: boolean }[] }
  /** `everything`: the next report would fare no better. */
  | { kind: 'failed'; why: string; everything: boolean };

const TRIES = 6;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
const ANSWER_MS = 20_000;
const AGAIN = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Throws AppError `bad-config`. */
export function endpointOf(
  address: string | undefined,
  secret: Secret | undefined,
  plainHttp: boolean,
): Endpoint {
  const problem = (text: string): AppError => new AppError('bad-config', `${text} Nothing was sent.`);
  if (address === undefined || address === '')
    throw problem(
      'TOURNIQUET_URL is not set. Set it to where the bot takes webhooks, such as https://tourniquet.example.',
    );
  if (secret === undefined)
    throw problem(
      'TOURNIQUET_SOURCE_REPORT is not set. Set it to the secret that the bot has under the same name.',
    );
  if (!URL.canParse(address))
    throw problem('TOURNIQUET_URL is not an address. Write one that begins with https://.');
  const url = new URL(address);
  const here = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && (here || plainHttp)))
    throw problem(
      'TOURNIQUET_URL is not https, and a token would travel in the clear. Use https, or --plain-http inside a cluster.',
    );
  if (url.username !== '' || url.password !== '')
    throw problem('TOURNIQUET_URL holds a user or a password. Leave them out: the report is signed.');
  if (!url.pathname.endsWith('/hooks/report'))
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/hooks/report`;
  return { url, secret };
}

/** Answers, never throws for what the other side does; throws AppError `bad-config` where the secret cannot sign. */
export async function send(
  { url, secret }: Endpoint,
  data: Record<string, unknown>,
  { sleep, now }: Waiting,
): Promise<Sent> {
  const body = JSON.stringify({ type: 'leak.reported', data });
  const id = `cli_${createHmac('sha256', secret.reveal()).update(body).digest('hex').slice(0, 40)}`;
  let last: Tried = { kind: 'failed', why: '', everything: true };
  for (let tried = 0; tried < TRIES; tried++) {
    if (tried > 0) await sleep(Math.min(last.waitMs ?? FIRST_WAIT_MS * 2 ** (tried - 1), LONGEST_WAIT_MS));
    last = await once(url, signed(secret, id, body, now()), body);
    if (last.waitMs === undefined && !last.again) return last;
  }
  return last;
}

/** What one try came to; `again`: another may come to something else. */
type Tried = Sent & { again?: boolean; waitMs?: number };

function signed(secret: Secret, id: string, body: string, now: number): Record<string, string> {
  const seconds = Math.floor(now / 1000);
  try {
    return {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(seconds),
      'webhook-signature': new Webhook(secret.reveal()).sign(id, new Date(seconds * 1000), body),
    };
  } catch {
    throw new AppError(
      'bad-config',
      'TOURNIQUET_SOURCE_REPORT is not a Standard Webhooks secret: it begins with whsec_. Nothing was sent.',
    );
  }
}

/** Said here, because NODE_TLS_REJECT_UNAUTHORIZED, which many a CI job sets, would hand the token to anybody between. */
const dispatcher = new Agent({ connect: { rejectUnauthorized: true } });

async function once(url: URL, headers: Record<string, string>, body: string): Promise<Tried> {
  try {
    // A redirect would carry the token to whoever it names.
    const options = { method: 'POST', headers, body, redirect: 'manual' as const, dispatcher };
    const response = await fetch(url, { ...options, signal: AbortSignal.timeout(ANSWER_MS) });
    return outcomeOf(response, await response.text());
  } catch (error) {
    return {
      kind: 'failed',
      why: `${url.host} did not answer (${wordOf(error)}).`,
      everything: true,
      again: true,
    };
  }
}

function wordOf(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: unknown } };
  const code = cause?.code;
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : (name ?? 'no answer');
}

function outcomeOf(response: Response, text: string): Tried {
  const { status, headers } = response;
  const { error, incidents, status: word } = answerIn(text);
  if (status === 200 || status === 202) {
    if (word === undefined)
      return {
        kind: 'failed',
        why: 'What answered is not Tourniquet: check TOURNIQUET_URL.',
        everything: true,
      };
    return { kind: 'taken', incidents };
  }
  const why = `${status}${error === undefined ? '' : `: ${error}`}${status >= 300 && status < 400 ? ': a redirect, which is not followed. Set TOURNIQUET_URL to where it leads.' : ''}`;
  if (!AGAIN.has(status)) return { kind: 'failed', why, everything: status !== 400 && status !== 413 };
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  const waitMs = Number.isFinite(seconds) ? { waitMs: seconds * 1000 } : {};
  return { kind: 'failed', why, everything: true, again: true, ...waitMs };
}

/** Only what our own endpoint says is shown: a proxy's page may say anything. */
function answerIn(text: string) {
  try {
    const { error, incidents, status } = JSON.parse(text) as Record<string, unknown>;
    return {
      status: typeof status === 'string' ? status : undefined,
      error: typeof error === 'string' ? printable(scrub(error)).slice(0, 500) : undefined,
      incidents: Array.isArray(incidents) ? incidents.filter(isIncident) : [],
    };
  } catch {
    return { status: undefined, error: undefined, incidents: [] };
  }
}

const isIncident = (one: unknown): one is { id: string; created: boolean } =>
  typeof one === 'object' && one !== null && 'id' in one && /^[\w-]{1,64}$/.test(String(one.id));
