// Answers Web API calls and response_url posts: faults, token, rate limit, then the method itself.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Core } from '../core.ts';
import { SlackError } from '../slack-error.ts';
import type { Fault } from '../state/faults.ts';
import type { Json } from '../types.ts';
import { decodeJsonFields, parseArguments, readBody, stringArg } from './arguments.ts';
import { chatMethods } from './methods/chat.ts';
import { conversationMethods } from './methods/conversations.ts';
import { directoryMethods } from './methods/directory.ts';
import type { Method } from './methods/method.ts';
import { viewMethods } from './methods/views.ts';
import { respond } from './respond.ts';

const METHODS: Record<string, Method> = {
  ...chatMethods,
  ...viewMethods,
  ...conversationMethods,
  ...directoryMethods,
};
const APP_TOKEN_METHODS = ['apps.connections.open'];

interface Answer {
  status: number;
  body: Json;
  retryAfter?: number;
  /** Of the token, as Slack says them with each answer. */
  scopes?: readonly string[];
}

type Run = (args: Json) => Answer;

export async function serveMethod(
  core: Core,
  method: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  await serve(core, method, request, response, (args) => {
    const token = bearer ?? stringArg(args, 'token');
    checkToken(core, method, token);
    const channel = stringArg(args, 'channel') ?? '';
    const wait = core.rates.take(method, channel);
    if (wait > 0) return rateLimited(wait);
    const run = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined;
    if (!run) throw new SlackError('unknown_method', { req_method: method });
    const scopes = token === core.state.appToken ? ['connections:write'] : core.state.scopes;
    return { status: 200, body: run(decodeJsonFields(args), core), scopes };
  });
}

export async function serveResponseUrl(
  core: Core,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  await serve(core, 'response_url', request, response, (args) => {
    try {
      return { status: 200, body: respond(core, path, decodeJsonFields(args)) };
    } catch (error) {
      if (error instanceof SlackError) return { status: 404, body: error.body };
      throw error;
    }
  });
}

async function serve(
  core: Core,
  method: string,
  request: IncomingMessage,
  response: ServerResponse,
  run: Run,
): Promise<void> {
  if (core.faults.isOutage()) {
    request.socket.destroy();
    return;
  }
  const body = await readBody(request);
  core.state.received.push(body, tryDecode(body));
  const fault = core.faults.take(method);
  if (fault?.kind === 'slow') await sleep(fault.ms, undefined, { signal: core.closing });
  if (fault?.kind === 'refuse') {
    log(core, method, {}, { status: 0, body: { fault: 'refused' } });
    request.socket.destroy();
    return;
  }
  const { args, answer } = answerCall(body, request.headers['content-type'] ?? '', fault, run);
  log(core, method, args, answer);
  if (fault?.kind === 'reset_after_accept') {
    request.socket.destroy();
    return;
  }
  response.writeHead(answer.status, {
    'content-type': 'application/json; charset=utf-8',
    ...(answer.scopes === undefined ? {} : { 'x-oauth-scopes': answer.scopes.join(',') }),
    ...(answer.retryAfter === undefined ? {} : { 'retry-after': String(answer.retryAfter) }),
  });
  response.end(JSON.stringify(answer.body));
}

function answerCall(
  body: string,
  contentType: string,
  fault: Fault | undefined,
  run: Run,
): { args: Json; answer: Answer } {
  let args: Json = {};
  try {
    args = parseArguments(body, contentType);
    return { args, answer: faulty(fault) ?? run(args) };
  } catch (error) {
    if (!(error instanceof SlackError)) throw error;
    return { args, answer: { status: 200, body: error.body } };
  }
}

function faulty(fault: Fault | undefined): Answer | undefined {
  if (fault?.kind === 'rate_limited') return rateLimited(fault.retryAfter ?? 1);
  if (fault?.kind === 'error') return { status: 200, body: { ok: false, error: fault.error } };
  if (fault?.kind === 'server_error')
    return { status: fault.status ?? 503, body: { ok: false, error: 'internal_error' } };
  return undefined;
}

function rateLimited(retryAfter: number): Answer {
  return { status: 429, body: { ok: false, error: 'ratelimited' }, retryAfter };
}

function checkToken({ state }: Core, method: string, token: string | undefined): void {
  if (token === undefined) throw new SlackError('not_authed');
  if (token !== state.botToken && token !== state.appToken) throw new SlackError('invalid_auth');
  const wanted = APP_TOKEN_METHODS.includes(method) ? state.appToken : state.botToken;
  if (token !== wanted) throw new SlackError('not_allowed_token_type');
}

function log({ state }: Core, method: string, given: Json, answer: Answer): void {
  const { token: _token, ...rest } = given;
  let args = rest;
  try {
    args = decodeJsonFields(rest);
  } catch {
    // Logged as it came: the answer already says what was wrong with it.
  }
  state.calls.push({ method, args, at: state.now(), status: answer.status, result: answer.body });
  state.changes.changed();
}

/** Percent-encoding must not hide a secret from a search. */
function tryDecode(body: string): string {
  try {
    return decodeURIComponent(body.replaceAll('+', ' '));
  } catch {
    return '';
  }
}
