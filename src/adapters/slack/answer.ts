// Answers one person, privately and within a second, whatever happens to the work behind it.
import { randomBytes } from 'node:crypto';
import { isAppError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Bot } from './bot.ts';
import { own } from './mrkdwn.ts';

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
  { client, names, log }: Pick<Bot, 'client' | 'names' | 'log'>,
  { user, channel, responseUrl }: Addressee,
): Say {
  return async (text) => {
    const safe = names.told(own(text));
    if (responseUrl !== undefined && (await posted(responseUrl, safe))) return;
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
      body: JSON.stringify({ text, response_type: 'ephemeral', replace_original: false }),
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
