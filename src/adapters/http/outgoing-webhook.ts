// Sends signed messages to the one address that the configuration names, as Standard Webhooks says, so that any library of theirs can verify them.
import { Webhook as Signer } from 'standardwebhooks';
import { Agent, request } from 'undici';
import pkg from '../../../package.json' with { type: 'json' };
import { scrubbed } from '../../domain/text/scrub.ts';
import type { Webhook } from '../../engine/door/escalate.ts';
import { AppError } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Secret } from '../../secret.ts';

export interface WebhookOptions {
  url: string;
  secret: Secret;
  /** Milliseconds for connecting, sending and the answer, all together. */
  timeout: number;
  clock: Clock;
}

export function openWebhook({ url, secret, timeout, clock }: WebhookOptions): Webhook & {
  close(): Promise<void>;
} {
  const signer = new Signer(secret.reveal());
  // Said here too, because an environment variable could switch it off for the whole process.
  const dispatcher = new Agent({ connect: { rejectUnauthorized: true, timeout } });
  return {
    async send({ id, type, data }) {
      const now = new Date(clock.now());
      const body = JSON.stringify({ type, timestamp: now.toISOString(), data: scrubbed(data) });
      const answer = await post(url, body, {
        dispatcher,
        signal: AbortSignal.timeout(timeout),
        headers: {
          'content-type': 'application/json',
          'user-agent': `tourniquet/${pkg.version}`,
          'webhook-id': id,
          'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
          'webhook-signature': signer.sign(id, now, body),
        },
      });
      if (answer.status < 200 || answer.status >= 300) throw refused(answer);
    },
    close: () => dispatcher.destroy(),
  };
}

interface Answered {
  status: number;
  retryAfterMs: number | undefined;
}

/** Redirects are not followed: undici hands them out, and they count as refusals. */
async function post(
  url: string,
  body: string,
  { headers, ...options }: { dispatcher: Agent; signal: AbortSignal; headers: Record<string, string> },
): Promise<Answered> {
  try {
    const answer = await request(url, { method: 'POST', body, headers, ...options });
    const seconds = Number(answer.headers['retry-after']);
    // What the receiver says is of no use here, and could be anything.
    await answer.body.dump({ limit: 65_536 }).catch(() => undefined);
    return { status: answer.statusCode, retryAfterMs: seconds > 0 ? seconds * 1000 : undefined };
  } catch (cause) {
    const why = options.signal.aborted ? 'did not answer in time' : `cannot be reached${codeOf(cause)}`;
    throw new AppError('unreachable', `The escalation webhook ${why}. ${REMEDY}`, { retry: true, cause });
  }
}

const REMEDY =
  'Nothing else waits for it. Check escalation.url and the receiver, and call whoever must know by hand.';

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? ` (${code})` : '';
}

function refused({ status, retryAfterMs }: Answered): AppError {
  const what =
    status >= 300 && status < 400 ? `a redirect (${status}), which is not followed` : `HTTP ${status}`;
  return new AppError('unreachable', `The escalation webhook answered with ${what}. ${REMEDY}`, {
    retry: true,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
