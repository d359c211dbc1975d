// Signs deliveries the way the senders do, written apart from the code under test.
import { createHmac, randomBytes } from 'node:crypto';
import type { RawRequest } from '../../src/contracts/alert-source.ts';

export const newWhsec = (): string => `whsec_${randomBytes(32).toString('base64')}`;

export function guardianHeaders(
  body: string | Buffer,
  key: string,
  timestamp: string,
): Record<string, string> {
  const hex = createHmac('sha256', `${timestamp}${key}`).update(body).digest('hex');
  return { timestamp, 'gitguardian-signature': `sha256=${hex}` };
}

export function standardHeaders(
  body: string | Buffer,
  whsec: string,
  { id = `msg_${randomBytes(8).toString('hex')}`, seconds = Math.floor(Date.now() / 1000) } = {},
): Record<string, string> {
  const key = Buffer.from(whsec.replace('whsec_', ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.`).update(body).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` };
}

export const raw = (body: string | Buffer, headers: Record<string, string> = {}): RawRequest => ({
  headers,
  body: Buffer.from(body),
});
