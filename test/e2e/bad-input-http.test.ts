// What broken senders and strangers send to the webhooks: each is told what is wrong, nothing is done, nothing accepted is lost.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leakToken } from '../../sandbox/harbour.ts';
import { inspectTraces } from '../../sandbox/traces.ts';
import type { World } from '../../sandbox/world.ts';
import { guardianHeaders, newWhsec, standardHeaders } from '../sources/signing.ts';
import { answersTo, cardOf, cardShows, cards, expectStillWorks, openStage, PATIENCE_MS } from './stage.ts';

const LIMIT = 1_048_576;
const PATIENT = { timeout: 60_000 };
const nowSeconds = () => Math.floor(Date.now() / 1000);

let world: World;
/** Works in production and must go on working, whoever reports it without being able to sign. */
let token: string;
let body: string;
const accepted = new Set<string>();

beforeAll(async () => {
  world = await openStage();
  await Promise.all([world.startRole('bot'), world.startRole('worker')]);
  ({ token } = await leakToken(world.cluster('prod'), 'legacy'));
  body = JSON.stringify({ data: { token } });
}, 120_000);
afterAll(() => world?.close());

interface Delivery {
  path?: string;
  method?: string;
  body?: string | Uint8Array | ReadableStream;
  headers?: Record<string, string>;
}

interface Answer {
  status?: string;
  error?: string;
  incidents?: { id: string; created: boolean }[];
}

async function send({ path = '/hooks/report', method = 'POST', body: sent = body, headers = {} }: Delivery) {
  const response = await fetch(`http://127.0.0.1:${world.bot().ports.http}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(method === 'GET' ? {} : { body: sent, duplex: 'half' as const }),
  });
  const text = await response.text();
  const answer = JSON.parse(text) as Answer;
  for (const { id } of answer.incidents ?? []) accepted.add(id);
  return { code: response.status, text, answer, headers: response.headers };
}

const whsec = () => world.env.TOURNIQUET_SOURCE_REPORT ?? '';
const guardianKey = () => world.env.TOURNIQUET_SOURCE_GITGUARDIAN ?? '';
const signed = (
  sent: string,
  more: Parameters<typeof standardHeaders>[2] = {},
  secret = whsec(),
): Delivery => ({
  body: sent,
  headers: standardHeaders(sent, secret, more),
});
const guardian = (sent: object, key = guardianKey(), seconds = nowSeconds()): Delivery => ({
  path: '/hooks/gitguardian',
  body: JSON.stringify(sent),
  headers: guardianHeaders(JSON.stringify(sent), key, String(seconds)),
});
const data = (fields: string): Delivery => signed(`{"data":{${fields}}}`);
const withHeaders = (delivery: Delivery, headers: Record<string, string>): Delivery => ({
  ...delivery,
  headers: { ...delivery.headers, ...headers },
});
/** Of unknown length, so that only counting while it comes helps. */
const endless = () => new Blob(['x'.repeat(LIMIT), 'x'.repeat(LIMIT)]).stream() as unknown as ReadableStream;

describe('a delivery is refused that', PATIENT, () => {
  it.each<[string, number, RegExp, () => Delivery]>([
    ['is malformed JSON', 400, /not a JSON object/, () => signed(`{"data": {"token": "${token}`)],
    ['is a JSON list', 400, /not a JSON object/, () => signed(`[${body}]`)],
    ['is empty', 400, /not a JSON object/, () => signed('')],
    ['holds nothing', 400, /names no token/, () => data('')],
    ['holds a number for a token', 400, /data\.token/, () => data('"token":12')],
    [
      'is nested absurdly',
      400,
      /data\.token/,
      () => data(`"token":${'['.repeat(50_000)}${']'.repeat(50_000)}`),
    ],
    ['misspells a field', 400, /not known here.*serviceAccount/, () => data(`"tokn":"${token}"`)],
    ['reaches for the prototype', 400, /not known here/, () => data(`"__proto__":{"token":"${token}"}`)],
    [
      'leaves its namespace',
      400,
      /name of a namespace/,
      () => data('"namespace":"../kube-system","secret":"x"'),
    ],
    ['is too large', 413, /too large/, () => signed('x'.repeat(LIMIT + 1))],
    ['is too large and does not say so', 413, /too large/, () => ({ body: endless() })],
    [
      'is text',
      415,
      /content-type: application\/json/,
      () => withHeaders(signed(body), { 'content-type': 'text/plain' }),
    ],
    [
      'is a form',
      415,
      /application\/json/,
      () => withHeaders(signed(body), { 'content-type': 'application/x-www-form-urlencoded' }),
    ],
    ['has no signature', 401, /webhook-signature are missing/, () => ({})],
    ['is signed with another secret', 401, /does not fit/, () => signed(body, {}, newWhsec())],
    ['was changed on the way', 401, /does not fit/, () => ({ ...signed('{"data":{}}'), body })],
    [
      'has the signature of another id',
      401,
      /does not fit/,
      () => withHeaders(signed(body), { 'webhook-id': 'msg_2' }),
    ],
    ['is stale', 401, /fresh one.*clocks/, () => signed(body, { seconds: nowSeconds() - 90 })],
    ['is of the future', 401, /fresh one.*clocks/, () => signed(body, { seconds: nowSeconds() + 90 })],
    [
      'has a date for a timestamp',
      401,
      /fresh one/,
      () => withHeaders(signed(body), { 'webhook-timestamp': new Date().toISOString() }),
    ],
    [
      'is for another source',
      401,
      /Gitguardian-Signature/,
      () => ({ ...signed(body), path: '/hooks/gitguardian' }),
    ],
    [
      'GitGuardian signed with another token',
      401,
      /does not fit/,
      () => guardian({ action: 'incident_triggered' }, 'guess'),
    ],
    ['GitGuardian sent long ago', 401, /fresh one/, () => guardian({}, guardianKey(), nowSeconds() - 3600)],
    ['GitGuardian sent without an action', 400, /names no action/, () => guardian({ incident: { id: 1 } })],
    [
      'GitGuardian sent without an id',
      400,
      /no incident with an id/,
      () => guardian({ action: 'incident_triggered', incident: {} }),
    ],
    [
      'is for an unknown source',
      404,
      /\/hooks\/gitguardian, \/hooks\/report/,
      () => ({ ...signed(body), path: '/hooks/pagerduty' }),
    ],
    ['is a GET', 405, /POST/, () => ({ method: 'GET' })],
    ['is a PUT', 405, /POST/, () => ({ ...signed(body), method: 'PUT' })],
  ])('%s: %d', async (_, code, words, delivery) => {
    const refused = await send(delivery());
    expect([refused.code, refused.answer.error]).toEqual([code, expect.stringMatching(words)]);
    expect(refused.text).not.toContain(token.slice(-40));
    expect(refused.answer.incidents).toBeUndefined();
    // A connection that is cut while the sender still sends would lose the answer.
    expect(refused.headers.get('connection')).not.toBe('close');
  });

  it('and nothing was opened or touched by any of them', async () => {
    expect(cards(world)).toEqual([]);
    const writes = world.cluster('prod').requests.filter(({ method }) => !['GET', 'POST'].includes(method));
    expect(writes).toEqual([]);
    expect(await answersTo(world, token)).toEqual([201, 201]);
    expect(await inspectTraces(world, token)).toMatchObject({ found: [] });
  });
});

describe('a delivery that comes again', PATIENT, () => {
  it('is one incident and one action, however often and at the same time it comes', async () => {
    const delivery = signed(body, { id: 'msg_again' });
    const [first] = await Promise.all([send(delivery), send(delivery), send(delivery)]);
    const id = [...accepted].join();
    const later = await Promise.all([
      send(delivery),
      send(signed(body, { id: 'msg_again', seconds: nowSeconds() + 1 })),
    ]);
    expect(later.map(({ code, answer }) => [code, answer.status])).toEqual([
      [200, 'duplicate'],
      [200, 'duplicate'],
    ]);
    expect([200, 202]).toContain(first?.code);
    await cardShows(world, id, /Contained: refused by 2 of 2/);
    const patched = world
      .cluster('prod')
      .requests.filter(({ method, status }) => method === 'PATCH' && status === 200);
    expect(patched).toHaveLength(1);
    expect(cards(world)).toHaveLength(1);
  });

  it('under a new id is noted on the incident that exists', async () => {
    const [id] = [...accepted];
    const again = await send(signed(body));
    expect(again.answer).toMatchObject({ status: 'accepted', incidents: [{ id, created: false }] });
    expect(cards(world)).toHaveLength(1);
  });
});

it('everything that was accepted has its card, and the next leak is contained', PATIENT, async () => {
  await expectStillWorks(world);
  for (const id of accepted)
    await world.slack.waitFor(() => cardOf(world, id), PATIENCE_MS, `the card of ${id}`);
  expect(accepted.size).toBe(1);
  expect(cards(world)).toHaveLength(2);
  expect(world.output()).not.toContain(token.slice(-40));
});
