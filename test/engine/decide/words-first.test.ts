// What a person reads after a click is so already, or is said to come: a pause that holds it up, a quarantine that stays.
import { afterEach, expect, it } from 'vitest';
import { renderCard } from '../../../src/adapters/slack/cards/card.ts';
import { headline } from '../../../src/adapters/slack/cards/headline.ts';
import { offers } from '../../../src/domain/incident/offers.ts';
import { type Harness, type HarnessOptions, seedLegacy, startHarness, statusWith } from '../harness.ts';

let harness: Harness | undefined;
afterEach(() => harness?.close());
const start = async (options: HarnessOptions = {}) => {
  harness = await startHarness(options);
  return harness;
};

const card = (h: Harness, id: string) =>
  JSON.stringify(
    renderCard(h.incident(id), { policy: h.deps.settings.policy, groups: {}, now: h.now(), head: '' }),
  );

it('an approval while paused starts nothing, and nothing says that it does', async () => {
  const h = await start({ settings: { autoContain: 'off' } });
  const token = await seedLegacy(h.cluster());
  const { incidentId: id } = await h.leak(token);
  await h.run(id);
  // By another process than the one that told every incident.
  await h.deps.pause.write({ by: 'UINES', reason: 'a drill', at: new Date(h.now()).toISOString() });
  expect(await h.click(id, 'approve', 'UINES')).toMatchObject({ incident: { paused: { by: 'UINES' } } });
  expect(headline(h.incident(id), h.now())).toMatch(/^🔴 LEAK LIVE, paused/);
  await h.run(id, 60_000);
  expect(headline(h.incident(id), h.now())).toMatch(/^🔴 LEAK LIVE, paused/);
  const [cluster] = h.connected;
  expect(cluster && (await statusWith(cluster, token))).toMatch(/^accepted/);
});

it('a false alarm says that its quarantine stays, offers to undo it, and waits for no proof', async () => {
  const h = await start();
  const token = await seedLegacy(h.cluster());
  const { incidentId: id } = await h.leak(token);
  await h.run(id);
  await h.click(id, 'not-a-leak', 'UINES', { reason: 'a test token' });
  await h.run(id, 60_000);
  expect(headline(h.incident(id), h.now())).toMatch(/False alarm, its quarantine was not undone/);
  expect(card(h, id)).toContain('This was done and not undone: Quarantine Secret payments/api-token');
  expect(card(h, id)).not.toContain('under way');
  expect(offers(h.incident(id))).toContain('undo');
  expect((await h.pending(id)).map(({ kind }) => kind)).toEqual([]);
  await h.click(id, 'undo', 'UINES', { reason: 'give it back' });
  await h.run(id, 60_000);
  expect(headline(h.incident(id), h.now())).toMatch(/^⚪ False alarm/);
  expect(card(h, id)).not.toContain('not undone');
});
