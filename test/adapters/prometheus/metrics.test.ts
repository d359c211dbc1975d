// The number of series has a bound that nothing from outside can move, and no value of it is a secret or a name.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  DEFINITIONS,
  type Definition,
  type Label,
  type MetricName,
} from '../../../src/adapters/prometheus/definitions.ts';
import { createMetrics } from '../../../src/adapters/prometheus/metrics.ts';
import { legacyToken } from '../../domain/token/token-samples.ts';

const names = { sources: ['report'], clusters: ['prod'], actions: ['quarantine-token'] };
const definitions = Object.entries<Definition>(DEFINITIONS);

test('every metric is written, with its help and its kind', async () => {
  const text = await createMetrics(names).text();
  for (const [name, { kind, help }] of definitions) {
    expect(text).toContain(`# HELP ${name} ${help}`);
    expect(text).toContain(`# TYPE ${name} ${kind}`);
  }
  expect(text).toContain('nodejs_eventloop_lag_seconds');
  expect(text).toContain('process_resident_memory_bytes');
});

test('names follow the rules of Prometheus: counters end in _total, times are in seconds', () => {
  for (const [name, { kind }] of definitions) {
    expect(name).toMatch(/^tourniquet_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith('_total'), name).toBe(kind === 'counter');
    if (kind === 'histogram') expect(name).toMatch(/_seconds$/);
  }
});

test('no label is for an incident, a namespace, a ServiceAccount or a person', () => {
  const labels = new Set<Label>(definitions.flatMap(([, definition]) => definition.labels));
  for (const forbidden of ['incident', 'id', 'namespace', 'serviceAccount', 'secret', 'user', 'token'])
    expect([...labels]).not.toContain(forbidden);
});

test('what an alert or an answer says cannot make new series: it counts as "other"', async () => {
  const metrics = createMetrics(names);
  const token = legacyToken();
  const before = (await metrics.text()).split('\n').length;
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), (text) => {
      const value = `${text} ${token}`;
      metrics.count('tourniquet_alerts_total', { source: value, outcome: 'new' });
      metrics.count('tourniquet_kubernetes_requests_total', {
        cluster: value,
        verb: value,
        resource: value,
        code: value,
      });
      metrics.count('tourniquet_slack_requests_total', { method: value, code: value });
      metrics.observe('tourniquet_kubernetes_request_seconds', { cluster: value, verb: value }, 1);
    }),
  );
  const text = await metrics.text();
  expect(text).not.toContain(token);
  expect(text).toContain('tourniquet_alerts_total{source="other",outcome="new"}');
  // One series each, and one histogram.
  expect(text.split('\n').length - before).toBeLessThan(20);
});

test('every label with values from outside has a list or a pattern of what it may be', async () => {
  const metrics = createMetrics(names);
  const bounded = new Set<Label>([
    'source',
    'cluster',
    'action',
    'resource',
    'code',
    'verb',
    'method',
    'reason',
  ]);
  for (const [name, { kind, labels }] of definitions) {
    if (kind !== 'counter' || !labels.every((label) => bounded.has(label)) || labels.length === 0) continue;
    const wild = Object.fromEntries(labels.map((label) => [label, '../jndi:x']));
    metrics.count(name as Extract<MetricName, `${string}_total`>, wild);
  }
  expect(await metrics.text()).not.toContain('jndi');
});
