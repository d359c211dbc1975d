// Keeps the numbers, and writes them in the text format of Prometheus.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { scrub } from '../../domain/text/scrub.ts';
import { DEFINITIONS, type Definition, type Label, type Labels, type MetricName } from './definitions.ts';
import { isKnown, type Names, vocabulary } from './vocabulary.ts';

type Named<K extends Definition['kind']> = {
  [N in MetricName]: (typeof DEFINITIONS)[N]['kind'] extends K ? N : never;
}[MetricName];
export type CounterName = Named<'counter'>;
export type GaugeName = Named<'gauge'>;
export type HistogramName = Named<'histogram'>;

export interface Metrics {
  count(name: CounterName, labels?: Labels, by?: number): void;
  observe(name: HistogramName, labels: Labels, seconds: number): void;
  set(name: GaugeName, labels: Labels, value: number): void;
  /** Asked at every scrape; must be cheap, and look at nothing outside this process. */
  onScrape(call: () => void): void;
  contentType: string;
  text(): Promise<string>;
}

type Kept = Counter<Label> | Gauge<Label> | Histogram<Label>;

/** A rise from nothing is seen only where there was a nought before: what alerts are about starts there. */
function startAtZero({ count }: Metrics, { sources }: Names): void {
  for (const source of sources) {
    for (const outcome of ['new', 'duplicate']) count('tourniquet_alerts_total', { source, outcome }, 0);
    for (const outcome of ['accepted', 'bad-signature', 'not-kept', 'failed'])
      count('tourniquet_deliveries_total', { source, outcome }, 0);
  }
  for (const result of ['done', 'not-done', 'unknown']) {
    count('tourniquet_proofs_total', { result }, 0);
    count('tourniquet_rechecks_total', { result }, 0);
  }
  count('tourniquet_rechecks_total', { result: 'still-live' }, 0);
}

export function createMetrics(names: Names): Metrics {
  const registry = new Registry();
  const words = vocabulary(names);
  const kept = new Map<string, Kept>();
  for (const [name, definition] of Object.entries<Definition>(DEFINITIONS))
    kept.set(name, make(registry, name, definition));
  collectDefaultMetrics({ register: registry });
  const scraped: (() => void)[] = [];
  const known = (labels: Labels): Labels =>
    Object.fromEntries(
      Object.entries(labels).map(([label, value]) => [
        label,
        isKnown(words[label as Label], value) ? value : 'other',
      ]),
    );
  const metrics: Metrics = {
    count: (name, labels = {}, by = 1) => (kept.get(name) as Counter<Label>).inc(known(labels), by),
    observe: (name, labels, seconds) => (kept.get(name) as Histogram<Label>).observe(known(labels), seconds),
    set: (name, labels, value) => (kept.get(name) as Gauge<Label>).set(known(labels), value),
    onScrape: (call) => void scraped.push(call),
    contentType: registry.contentType,
    async text() {
      for (const call of scraped) call();
      return scrub(await registry.metrics());
    },
  };
  startAtZero(metrics, names);
  return metrics;
}

function make(registry: Registry, name: string, definition: Definition): Kept {
  const { kind, help, labels: labelNames, buckets = [] } = definition;
  const options = { name, help, labelNames: [...labelNames], registers: [registry] };
  if (kind === 'counter') return new Counter(options);
  if (kind === 'gauge') return new Gauge(options);
  return new Histogram({ ...options, buckets: [...buckets] });
}
