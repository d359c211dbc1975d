// What the configuration may say about calls outside Slack.
import { z } from 'zod';
import { duration } from '../domain/duration.ts';

/** Who is called must be certain, and nobody may listen in. */
const callable = z.url().refine((text) => {
  const { protocol, hostname, username, password } = new URL(text);
  const here = ['localhost', '[::1]'].includes(hostname) || /^127(\.\d+){3}$/.test(hostname);
  return (protocol === 'https:' || (protocol === 'http:' && here)) && username === '' && password === '';
}, 'write an https:// address without a password in it; http:// is only for this machine itself, such as http://127.0.0.1:8080');

export const escalationSchema = z
  .strictObject({
    /** Called where Slack is not enough; absent: nobody is called. */
    url: callable.optional(),
    /** Deadline of one call. */
    timeout: duration.default(10_000),
    /** How long the review of a broken glass may stay open. */
    reviewAfter: duration.default(86_400_000),
  })
  .prefault({});

export const NEW_WEBHOOK_SECRET = 'Make one with: echo "whsec_$(openssl rand -base64 32)"';

/** As Standard Webhooks writes it: at least 24 bytes. */
export const isWebhookSecret = (secret: string): boolean => /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(secret);
