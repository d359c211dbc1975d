// People are called outside Slack when Slack is not enough: once for each reason, again until it is accepted, and never with a token.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openWebhook } from '../../../src/adapters/http/outgoing-webhook.ts';
import { headline } from '../../../src/adapters/slack/cards/headline.ts';
import { startReceiver } from '../../receiver.ts';
import { CARD, type Harness, type HarnessOptions, seedLegacy, startHarness, TIMING } from '../harness.ts';

const HOUR = 3_600_000;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
const cleanup: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  receiver = await startReceiver();
  cleanup.push(receiver.close);
});
afterEach(async () => {
  for (const step of cleanup.splice(0).toReversed()) await step();
});

async function begin(options: HarnessOptions = {}): Promise<Harness> {
  let h: Harness | undefined;
  const clock = { now: () => h?.now() ?? 0 };
  const webhook = openWebhook({ url: receiver.url, secret: receiver.secret, timeout: 2000, clock });
  cleanup.push(webhook.close);
  const timing = { ...TIMING, escalation: { reviewAfter: 24 * HOUR } };
  h = await startHarness({
    ...options,
    webhook,
    settings: { timing, autoContain: 'off', ...options.settings },
  });
  cleanup.push(h.close);
  return h;
}

const calls = () => receiver.deliveries.map(({ message }) => message.data.why);
const written = (h: Harness, id: string) =>
  h.memory.events(id).flatMap((event) => (event.type === 'escalated' ? [event] : []));

it('an approval that expired while the token works: who, where, since when, and no token', async () => {
  const h = await begin();
  const token = await seedLegacy(h.cluster());
  const { incidentId: id } = await h.leak(token);
  await h.run(id, 24 * HOUR - 1);
  expect(calls()).toEqual([]);
  await h.run(id, 1);
  const expired = h.memory.events(id).find(({ type }) => type === 'plan-expired');
  expect(receiver.deliveries).toEqual([
    {
      id: `${id}-approval-expired-${expired?.v}`,
      message: {
        type: 'incident.escalated',
        timestamp: expired?.at,
        data: {
          incident: id,
          why: 'approval-expired',
          since: expired?.at,
          message: 'Nobody approved the plan in time, and the leaked token still works.',
          state: expect.any(String),
          openedAt: h.incident(id).openedAt,
          clusters: ['prod'],
          namespace: 'payments',
          serviceAccount: 'api',
          thread: CARD,
        },
      },
      raw: expect.not.stringContaining(token),
    },
  ]);
  expect(written(h, id)).toMatchObject([{ call: `approval-expired-${expired?.v}`, why: 'approval-expired' }]);
  await h.run(id, HOUR);
  expect(calls()).toHaveLength(1);
  // The fresh plan expires too, a day later: that is a new reason.
  await h.run(id, 24 * HOUR);
  expect(calls()).toEqual(['approval-expired', 'approval-expired']);
});

it('is tried again under the same id until the receiver takes it, and the trouble is written down once it is over', async () => {
  const h = await begin();
  const { incidentId: id } = await h.leak(await seedLegacy(h.cluster()));
  receiver.answers.push(500, 'reset', { to: '/elsewhere' });
  await h.run(id, 24 * HOUR + 60_000);
  expect(new Set(receiver.deliveries.map((delivery) => delivery.id)).size).toBe(1);
  expect(receiver.deliveries).toHaveLength(4);
  const trouble = h.memory
    .events(id)
    .filter((event) => event.type === 'trouble' && event.work === 'escalate');
  expect(trouble).toHaveLength(3);
  expect(written(h, id)).toHaveLength(1);
  expect(h.incident(id).troubles.escalate).toBeUndefined();
});

it('gives up after a day, and says so where people read it', async () => {
  const h = await begin({ policy: { rules: [{ name: 'slow', do: { any: { expiry: '1h' } } }] } });
  const { incidentId: id } = await h.leak(await seedLegacy(h.cluster()));
  await receiver.close();
  await h.run(id, HOUR);
  // Nobody wants to hear of the later ones while this one is open.
  await h.run(id, 25 * HOUR);
  const [first] = written(h, id);
  expect(first?.failed).toMatch(/cannot be reached.*call whoever must know by hand/);
  const troubles = h.memory.events(id).filter(({ type }) => type === 'trouble');
  expect(troubles.length).toBeLessThan(170);
});

it('a plan that nobody may approve', async () => {
  const h = await begin({ policy: { rules: [{ name: 'three', do: { revoke: { approvals: 3 } } }] } });
  const { incidentId: id } = await h.leak(await seedLegacy(h.cluster()));
  await h.run(id);
  expect(receiver.deliveries.map(({ message }) => message.data)).toMatchObject([
    {
      why: 'nobody-can-approve',
      message: 'Nobody can approve the plan: the rule "three" needs 3 and 2 of those whom it names may.',
    },
  ]);
});

it('a token that is still accepted after the kill', async () => {
  const h = await begin({ clusters: { prod: { tokenCacheMs: 10 * 60_000 } } });
  const token = await seedLegacy(h.cluster());
  const { incidentId: id } = await h.leak(token);
  await h.run(id);
  // Used a moment ago, so that the API server remembers that it was fine.
  const [cluster] = h.connected;
  const { servers } = (await cluster?.servers()) ?? { servers: [] };
  const { Secret } = await import('../../../src/secret.ts');
  for (const { address } of servers) await cluster?.probe(address, new Secret(token));
  await h.click(id, 'contain', 'UMAYA');
  await h.run(id, 5 * 60_000);
  expect(headline(h.incident(id), h.now())).toMatch(/LEAK LIVE AGAIN/);
  expect(calls()).toEqual(['token-still-accepted']);
  // The servers forget; nobody is called a second time, and nothing is asked without end.
  await h.run(id, 2 * HOUR);
  expect(headline(h.incident(id), h.now())).toMatch(/Contained: refused/);
  expect(calls()).toHaveLength(1);
  expect(h.memory.events(id).filter(({ type }) => type === 'reopened')).toHaveLength(1);
  expect(receiver.deliveries[0]?.message.data.message).toMatch(/the token is not dead: prod: still accepted/);
});

it('a review that stays open for a day, and none that was closed in time', async () => {
  const h = await begin();
  const { incidentId: id } = await h.leak(await seedLegacy(h.cluster()));
  await h.run(id);
  await h.click(id, 'break-glass', 'UINES', { reason: 'nobody is awake' });
  await h.run(id, 24 * HOUR - 60_000);
  expect(calls()).toEqual([]);
  await h.run(id, HOUR);
  expect(calls()).toEqual(['review-open']);
});

it('a reason that has passed before anybody could be called is none', async () => {
  const h = await begin();
  const { incidentId: id } = await h.leak(await seedLegacy(h.cluster()));
  receiver.answers.push(...Array.from({ length: 5 }, () => 503));
  await h.run(id, 24 * HOUR + 1000);
  await h.click(id, 'approve', 'UINES');
  await h.run(id, HOUR);
  expect(h.incident(id).closed?.as).toBe('resolved');
  expect(written(h, id)).toEqual([]);
});
