// The numbers of a whole incident, counted by the real engine on a real story: each thing once, and none of them a name.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { actions } from '../../../src/actions/index.ts';
import { measure, measureRepeat } from '../../../src/adapters/prometheus/measure.ts';
import { createMetrics, type Metrics } from '../../../src/adapters/prometheus/metrics.ts';
import { doReport } from '../../../src/engine/door/report.ts';
import type { Appended, Repeated, Shown } from '../../../src/ports/witness.ts';
import { type Harness, seedLegacy, startHarness } from '../../engine/harness.ts';

let harness: Harness;
let metrics: Metrics;
let seen: Appended[];
let shown: Shown[];
let repeated: Repeated[];
let token: string;

beforeEach(async () => {
  harness = await startHarness();
  metrics = createMetrics({
    sources: ['report'],
    clusters: ['prod'],
    actions: actions.map(({ name }) => name),
  });
  [seen, shown, repeated] = [[], [], []];
  harness.deps.witness = {
    appended: (one) => void seen.push(one),
    shown: (one) => void shown.push(one),
    repeated: (one) => void repeated.push(one),
  };
  token = await seedLegacy(harness.cluster());
});
afterEach(() => harness.close());

async function numbers(): Promise<string[]> {
  for (const one of [...seen.flatMap(measure), ...repeated.flatMap(measureRepeat)])
    if ('count' in one) metrics.count(one.count, one.labels);
    else metrics.observe(one.observe, one.labels, one.seconds);
  const text = await metrics.text();
  return text.split('\n').filter((line) => line.startsWith('tourniquet_'));
}

it('a leak that is contained at once, approved, proven twice and looked at again', async () => {
  const { incidentId: id } = await harness.leak(token);
  await harness.leak(token);
  await harness.run(id, 20_000);
  await harness.click(id, 'approve', 'UINES');
  await harness.run(id, 25 * 3_600_000);
  expect(harness.incident(id).status).toBe('resolved');
  expect(await numbers()).toEqual(
    expect.arrayContaining([
      'tourniquet_alerts_total{source="report",outcome="new"} 1',
      'tourniquet_alerts_total{source="report",outcome="duplicate"} 1',
      'tourniquet_auto_containments_total{result="started"} 1',
      'tourniquet_identifications_total{result="identified"} 1',
      'tourniquet_time_to_contain_seconds_count{by="policy"} 1',
      'tourniquet_steps_total{action="quarantine-token",result="done"} 1',
      'tourniquet_steps_total{action="delete-token-secret",result="done"} 1',
      'tourniquet_decisions_total{verb="approve"} 1',
      'tourniquet_proofs_total{result="done"} 2',
      'tourniquet_time_to_proof_seconds_count 2',
      'tourniquet_time_to_proof_seconds_sum 30',
      'tourniquet_rechecks_total{result="done"} 3',
      'tourniquet_rechecks_total{result="not-done"} 0',
      'tourniquet_incidents_closed_total{as="resolved"} 1',
      'tourniquet_reopened_total 0',
      'tourniquet_break_glass_total 0',
    ]),
  );
});

it('every event that was appended was told once, with the state before and after it', async () => {
  const { incidentId: id } = await harness.leak(token);
  await harness.run(id, 20_000);
  const told = seen.flatMap(({ fresh }) => fresh.map(({ v }) => v));
  expect(told).toEqual(harness.memory.events(id).map(({ v }) => v));
  for (const { before, after, fresh, events, from, until } of seen) {
    expect(before?.version ?? 0).toBe((fresh[0]?.v ?? 0) - 1);
    expect(after.version).toBe(fresh.at(-1)?.v);
    expect(events.at(-1)).toBe(fresh.at(-1));
    expect(until).toBeGreaterThanOrEqual(from);
  }
});

it('a token that comes back is counted as such', async () => {
  const { incidentId: id } = await harness.leak(token);
  await harness.run(id, 20_000);
  await harness.click(id, 'approve', 'UINES');
  await harness.run(id, 20_000);
  expect(await harness.cluster().seed.tokenSecret('payments', 'api-token', 'api')).toBe(token);
  await harness.run(id, 301_000);
  expect(await numbers()).toEqual(
    expect.arrayContaining(['tourniquet_rechecks_total{result="not-done"} 1', 'tourniquet_reopened_total 1']),
  );
});

it('only the first kill of an incident says how fast the leak was stopped, and a source that nobody knows counts as "other"', async () => {
  const { incidentId: id } = await harness.leak(token, { source: 'somebody-unknown' });
  await harness.run(id, 20_000);
  await harness.click(id, 'undo', 'UINES', { reason: 'a test' });
  await harness.run(id);
  await harness.click(id, 'contain', 'UINES');
  await harness.run(id);
  const lines = await numbers();
  expect(lines).toContain('tourniquet_time_to_contain_seconds_count{by="policy"} 1');
  expect(lines.filter((line) => line.includes('by="people"'))).toEqual([]);
  expect(lines).toContain('tourniquet_alerts_total{source="other",outcome="new"} 1');
});

it('how late a card is, is told by the one who showed it', async () => {
  const { incidentId: id } = await harness.leak(token);
  harness.deps.settings = { ...harness.deps.settings, reporters: ['paper'] };
  const paper = { name: 'paper', report: async () => harness.incident(id).version };
  await doReport(harness.deps, [paper], { kind: 'report', incidentId: id });
  expect(shown).toEqual([
    expect.objectContaining({ id, reporter: 'paper', version: 1, at: new Date(harness.now()).toISOString() }),
  ]);
});
