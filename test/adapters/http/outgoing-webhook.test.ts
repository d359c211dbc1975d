// The webhook out: signed so that any library can check it, to one address only, and failures that say what to do.
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { issueServingCertificate } from 'kube-sandbox/certificates';
import { afterEach, expect, it, vi } from 'vitest';
import { openWebhook } from '../../../src/adapters/http/outgoing-webhook.ts';
import { type Answer, startReceiver } from '../../receiver.ts';

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).toReversed()) await step();
});

const message = { id: 'inc-1-approval-expired-7', type: 'incident.escalated', data: { incident: 'inc-1' } };

async function opened(given: { tls?: { key: string; cert: string }; timeout?: number } = {}) {
  const receiver = await startReceiver(given.tls);
  const { url, secret } = receiver;
  const clock = { now: () => Date.now() };
  const webhook = openWebhook({ url, secret, timeout: given.timeout ?? 5000, clock });
  cleanup.push(receiver.close, webhook.close);
  return { receiver, webhook };
}

it('is signed as Standard Webhooks says, with type, time and data', async () => {
  const { receiver, webhook } = await opened();
  await webhook.send(message);
  const { id, type, data } = message;
  expect(receiver.deliveries).toEqual([
    expect.objectContaining({ id, message: { type, timestamp: expect.stringMatching(/Z$/), data } }),
  ]);
});

it.each<[string, Answer, object]>([
  ['an error of the receiver', 500, { message: expect.stringContaining('answered with HTTP 500') }],
  ['a refusal', 403, { message: expect.stringContaining('answered with HTTP 403') }],
  ['a redirect', { to: '/elsewhere' }, { message: expect.stringContaining('redirect (307), which is not') }],
  ['a broken connection', 'reset', { message: expect.stringContaining('cannot be reached') }],
])('%s is told, and nothing of what the receiver says', async (_, answer, expected) => {
  const { receiver, webhook } = await opened();
  receiver.answers.push(answer);
  const error = await webhook.send(message).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'unreachable', retry: true, ...expected });
  expect(String(error)).toMatch(/Nothing else waits for it\. Check escalation\.url/);
  expect(String(error)).not.toContain('its own words');
  expect(receiver.paths).toEqual(['/calls']);
});

it('a receiver that never answers is given up in time', async () => {
  const { receiver, webhook } = await opened({ timeout: 150 });
  receiver.answers.push('silence');
  await expect(webhook.send(message)).rejects.toMatchObject({
    message: expect.stringContaining('did not answer in time'),
  });
});

it('nobody there', async () => {
  const gone = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => gone.once('listening', resolve));
  const { port } = gone.address() as AddressInfo;
  await new Promise((resolve) => gone.close(resolve));
  const { receiver } = await opened();
  const url = `http://127.0.0.1:${port}/`;
  const webhook = openWebhook({ url, secret: receiver.secret, timeout: 5000, clock: { now: () => 0 } });
  cleanup.push(webhook.close);
  await expect(webhook.send(message)).rejects.toMatchObject({
    message: expect.stringContaining('cannot be reached (ECONNREFUSED)'),
  });
});

it('a certificate that nobody vouches for is not spoken to', async () => {
  const { keyPem: key, certPem: cert } = issueServingCertificate('receiver', ['127.0.0.1']);
  const { receiver, webhook } = await opened({ tls: { key, cert } });
  for (const strict of ['1', '0']) {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', strict);
    await expect(webhook.send(message)).rejects.toMatchObject({
      message: expect.stringMatching(/cannot be reached \(.*(CERT|SIGNATURE|SIGNED)/),
    });
  }
  vi.unstubAllEnvs();
  expect(receiver.deliveries).toEqual([]);
});
