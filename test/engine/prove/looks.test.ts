// A later look costs little and delays nothing: what is live is not sent, and what several looks depend on is read once.
import { afterEach, expect, it } from 'vitest';
import { headline } from '../../../src/adapters/slack/cards/headline.ts';
import { lookOn } from '../../../src/engine/prove/look.ts';
import type { Cluster } from '../../../src/ports/cluster.ts';
import { type Harness, seedLegacy, startHarness } from '../harness.ts';

let h: Harness;
afterEach(() => h.close());

it('never sends a token that the objects show alive, so that the next kill is proven at once', async () => {
  const sent: string[] = [];
  const watched = (cluster: Cluster): Cluster => ({
    ...cluster,
    probe: (address, token) => {
      sent.push(token.reveal());
      return cluster.probe(address, token);
    },
  });
  h = await startHarness({ settings: { autoContain: 'off' }, wrap: watched });
  const token = await seedLegacy(h.cluster());
  const { incidentId: id } = await h.leak(token);
  await h.run(id, 8 * 3_600_000);
  expect(h.incident(id).looks?.count).toBeGreaterThanOrEqual(3);
  expect(headline(h.incident(id), h.now())).toMatch(/^🔴 LEAK LIVE/);
  expect(sent).not.toContain(token);
  await h.click(id, 'contain', 'UMAYA');
  await h.run(id, 20_000);
  expect(sent).toContain(token);
});

it('at the same objects reads them once', async () => {
  h = await startHarness({ settings: { autoContain: 'off' } });
  const { incidentId: id } = await h.leak(await seedLegacy(h.cluster()));
  await h.run(id);
  const incident = h.incident(id);
  const [cluster] = h.connected;
  if (!incident.identity || !cluster) throw new Error('not identified');
  const { identity } = incident;
  const cost = async (times: number): Promise<number> => {
    h.advance(60_000);
    const before = h.cluster().requests.length;
    await Promise.all(
      Array.from({ length: times }, () => lookOn(h.deps, incident, identity, cluster, undefined)),
    );
    return h.cluster().requests.length - before;
  };
  const one = await cost(1);
  expect(one).toBeGreaterThan(3);
  // What is compared by its value is read by each.
  const each = ((await cost(10)) - one) / 9;
  expect(each).toBeLessThanOrEqual(one - 3);
});
