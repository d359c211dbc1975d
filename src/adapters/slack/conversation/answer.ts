// Answers one person, privately and within a second, whatever happens to the work behind it.
import { randomBytes } from 'node:crypto';
import { scrub } from '../../../domain/text/scrub.ts';
import { isAppError } from '../../../errors.ts';
import type { Log } from '../../../log.ts';
import { own } from '../mrkdwn/mrkdwn.ts';
import type { Bot } from './bot.ts';

/** Where an answer to this address goes to Slack and to nobody else: what an event says is not to be believed. */
function isSlacks(address: string, apiUrl: string): boolean {
  if (!URL.canParse(address)) return false;
  const { origin, username, password } = new URL(address);
  const api = new URL(apiUrl);
  // Any other is a proxy or an emulator that the configuration names, and may have hooks of its own.
  const own = SLACK.includes(api.hostname) ? [] : [api.origin];
  const known = [...SLACK.map((host) => `https://hooks.${host}`), ...own];
  return known.includes(origin) && username === '' && password === '';
}

/** And its edition for governments. */
const SLACK = ['slack.com', 'slack-gov.com'];

const PATIENCE_MS = 700;

export interface Addressee {
  user: string;
  channel: string | undefined;
  /** Slack takes five answers in half an hour there, and asks for no membership. */
  responseUrl?: string | undefined;
}

export type Say = (text: string) => Promise<void>;

/** The ways to a person, best first: the response_url, the channel, a direct message. */
export function sayTo(
  { client, names, log, apiUrl }: Pick<Bot, 'client' | 'names' | 'log' | 'apiUrl'>,
  { user, channel, responseUrl }: Addressee,
): Say {
  return async (text) => {
    const safe = names.told(own(text));
    if (responseUrl !== undefined && isSlacks(responseUrl, apiUrl) && (await posted(responseUrl, safe)))
      return;
    const ways = [
      ...(channel ? [() => client.chat.postEphemeral({ channel, user, text: safe })] : []),
      () => client.chat.postMessage({ channel: user, text: safe }),
    ];
    for (const way of ways) {
      const done = await way().then(
        () => true,
        () => false,
      );
      if (done) return;
    }
    log.warn({ user }, 'slack: no way to answer this person');
  };
}

async function posted(url: string, text: string): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: scrub(text), response_type: 'ephemeral', replace_original: false }),
      redirect: 'manual',
      signal: AbortSignal.timeout(2500),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** Runs the work; says what it returns, or why it failed, and that it goes on where it takes long. */
export async function answering(say: Say, work: () => Promise<string | undefined>, log: Log): Promise<void> {
  let waiting: Promise<void> | undefined;
  const timer = setTimeout(() => {
    waiting = say('Working on it…');
  }, PATIENCE_MS);
  const text = await work().catch((error: unknown) => explain(error, log));
  clearTimeout(timer);
  await waiting;
  if (text !== undefined) await say(text);
}

/** AppError speaks for itself; anything else is ours to look up by its reference. */
export function explain(error: unknown, log: Log): string {
  if (isAppError(error)) return error.message;
  const ref = randomBytes(4).toString('hex');
  const facts = error instanceof Error ? { name: error.name, at: error.stack?.split('\n')[1]?.trim() } : {};
  log.error({ ref, ...facts }, 'slack: internal error');
  return `Something went wrong inside Tourniquet, and it is not known whether what you asked was done. Look at the card. Internal error, ref ${ref}.`;
}
