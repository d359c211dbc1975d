// Two Web API clients, so that a throttled message never delays the form that somebody waits for; and their errors as ours.
import {
  type FetchFunction,
  type Logger,
  LogLevel,
  SlackError,
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebClient,
  type WebClientOptions,
} from '@slack/web-api';
import { scrubbed } from '../../../domain/text/scrub.ts';
import { AppError } from '../../../errors.ts';
import type { Log } from '../../../log.ts';
import type { Secret } from '../../../secret.ts';
import type { CommandNames } from './command-names.ts';

export interface SlackWorkspace {
  teamId: string;
  /** https://<team>.slack.com/ */
  url: string;
  botId: string;
  botUserId: string;
  /** Forms and private answers: quick or not at all. */
  interactive: WebClient;
  /** Cards and threads. */
  outbound: WebClient;
}

/** Told of every call of the Web API, for whoever counts: `code` is the HTTP status, or `failed`. */
export type Watch = (method: string, code: string, ms: number) => void;

interface Connection {
  apiUrl: string;
  log: Log;
  watch?: Watch;
}

/** A fresh object for every client: Slack's SDK writes into what it is given. */
export const clientOptions = ({ apiUrl, log, watch }: Connection, timeout: number): WebClientOptions => ({
  slackApiUrl: apiUrl,
  fetch: watched(watch),
  retryConfig: { retries: 0 },
  rejectRateLimitedCalls: true,
  timeout,
  logger: sdkLogger(log),
});

const watched =
  (watch: Watch = () => undefined): FetchFunction =>
  async (url, init) => {
    const began = performance.now();
    let code = 'failed';
    try {
      const response = await fetch(url, init as RequestInit);
      code = String(response.status);
      return response;
    } finally {
      watch(String(url).split('/').at(-1) ?? '', code, performance.now() - began);
    }
  };

/** The gate to Slack: no token passes it, and everything names the commands as they are called in this workspace. */
class GateClient extends WebClient {
  names: CommandNames | undefined;

  override apiCall(method: string, options?: Record<string, unknown>): ReturnType<WebClient['apiCall']> {
    const clean = scrubbed(options);
    return super.apiCall(method, this.names?.told(clean) ?? clean);
  }
}

/** Asks Slack who we are. Throws AppError `slack-unavailable`. */
export async function connectSlack(
  given: Connection & { botToken: Secret; names?: CommandNames },
): Promise<SlackWorkspace> {
  const token = given.botToken.reveal();
  const interactive = new GateClient(token, clientOptions(given, 2500));
  const outbound = new GateClient(token, clientOptions(given, 10_000));
  for (const client of [interactive, outbound]) client.names = given.names;
  try {
    const me = await outbound.auth.test();
    return {
      teamId: me.team_id ?? '',
      url: me.url ?? '',
      botId: me.bot_id ?? '',
      botUserId: me.user_id ?? '',
      interactive,
      outbound,
    };
  } catch (error) {
    throw slackError(error);
  }
}

export const slackCode = (error: unknown): string | undefined =>
  error instanceof WebAPIPlatformError ? error.data.error : undefined;

/** Whether Slack may have done what was asked although we were told that it failed. */
export const isUncertain = (error: unknown): boolean =>
  !(error instanceof WebAPIPlatformError) && !(error instanceof WebAPIRateLimitedError);

const NO_ENTRY = ['channel_not_found', 'not_in_channel', 'is_archived', 'restricted_action'];
const NO_TOKEN = ['invalid_auth', 'not_authed', 'account_inactive', 'token_revoked', 'token_expired'];

/** Errors of Slack's SDK as AppError; any other as it is. */
export function slackError(error: unknown, channel?: string): unknown {
  if (!(error instanceof SlackError)) return error;
  if (error instanceof WebAPIRateLimitedError)
    return new AppError('throttled', 'Slack asks to slow down. The message follows; nothing was lost.', {
      retry: true,
      retryAfterMs: error.retryAfter * 1000,
    });
  const code = slackCode(error);
  if (code !== undefined && NO_ENTRY.includes(code) && channel !== undefined)
    return new AppError(
      'slack-unavailable',
      `Slack refuses messages to the channel ${channel} (${code}). Invite the app to the channel: /invite @tourniquet. What happens is kept and posted then.`,
      { retry: true },
    );
  if (code !== undefined && NO_TOKEN.includes(code))
    return new AppError(
      'unauthorized',
      `Slack refuses the bot token (${code}). Set SLACK_BOT_TOKEN to a valid one.`,
    );
  if (code !== undefined)
    return new AppError('slack-unavailable', `Slack refused a call (${code}). It is tried again.`, {
      retry: true,
    });
  const what =
    error instanceof WebAPIHTTPError ? `answered with HTTP ${error.statusCode}` : 'cannot be reached';
  return new AppError('slack-unavailable', `Slack ${what}. It is tried again; nothing was lost.`, {
    retry: true,
  });
}

/** The SDK's own words may quote payloads, so only warnings pass, and those without their arguments. */
export function sdkLogger(log: Log): Logger {
  const first = (words: unknown[]): string => String(words[0]).split('\n')[0]?.slice(0, 200) ?? '';
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: (...words: unknown[]) => log.warn({}, `slack: ${first(words)}`),
    error: (...words: unknown[]) => log.warn({}, `slack: ${first(words)}`),
    setLevel: () => undefined,
    getLevel: () => LogLevel.WARN,
    setName: () => undefined,
  };
}
