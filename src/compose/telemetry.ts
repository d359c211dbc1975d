// What a process tells about itself: numbers, lines in its log, and traces where somebody collects them.
import pkg from '../../package.json' with { type: 'json' };
import { actions } from '../actions/index.ts';
import { type Measurement, measure, measureRepeat } from '../adapters/prometheus/measure.ts';
import { createMetrics, type Metrics } from '../adapters/prometheus/metrics.ts';
import type { IncidentEvent } from '../domain/incident/events.ts';
import { every } from '../every.ts';
import type { Log } from '../log.ts';
import type { Appended, Witness } from '../ports/witness.ts';
import { sources } from '../sources/index.ts';
import type { Assembly } from './assembly.ts';
import type { SlackLine } from './slack-line.ts';
import { noVitals, type Vitals } from './vitals.ts';

const SEND_EVERY_MS = 2000;

export interface Telemetry {
  metrics: Metrics;
  witness: Witness;
  vitals: Vitals;
}

/** `line`: where this process talks to Slack. The code for traces is loaded only where there is somebody to send them to. */
export async function openTelemetry(
  { config, log, stack }: Assembly,
  line?: Pick<SlackLine, 'answered'>,
): Promise<Telemetry> {
  const metrics = createMetrics({
    sources: sources.map(({ name }) => name),
    clusters: config.clusters.map(({ name }) => name),
    actions: actions.map(({ name }) => name),
  });
  const vitals = noVitals(line && (() => line.answered()?.sockets() ?? 0));
  const { version } = pkg;
  metrics.set('tourniquet_build_info', { version, role: config.role, node: process.version }, 1);
  metrics.onScrape(() => showVitals(metrics, vitals));
  const witnesses = [counting(metrics), logging(log)];
  if (config.tracing) {
    const { createTracing } = await import('../adapters/otlp/exporter.ts');
    const tracing = createTracing({ ...config.tracing, role: config.role, version, log });
    witnesses.push(tracing.witness);
    stack.defer(() => tracing.flush());
    const sending = every(SEND_EVERY_MS, tracing.flush, (err) => log.warn({ err }, 'traces cannot be sent'));
    stack.defer(() => sending.stop());
  }
  return { metrics, vitals, witness: afterwards(witnesses, log) };
}

/** In the next turn of the event loop, because a kill may be what comes next in this one. */
function afterwards(witnesses: readonly Witness[], log: Log): Witness {
  const tell = (what: (witness: Witness) => void): void => {
    setImmediate(() => {
      for (const witness of witnesses)
        try {
          what(witness);
        } catch (err) {
          log.warn({ err }, 'could not count or trace something; nothing else depends on it');
        }
    });
  };
  return {
    appended: (seen) => tell((witness) => witness.appended(seen)),
    shown: (seen) => tell((witness) => witness.shown(seen)),
    repeated: (seen) => tell((witness) => witness.repeated?.(seen)),
  };
}

function tally(metrics: Metrics, measured: readonly Measurement[]): void {
  for (const one of measured)
    if ('count' in one) metrics.count(one.count, one.labels);
    else metrics.observe(one.observe, one.labels, one.seconds);
}

const counting = (metrics: Metrics): Witness => ({
  repeated: (seen) => tally(metrics, measureRepeat(seen)),
  appended: (seen) => tally(metrics, measure(seen)),
  shown: ({ reporter, at, until }) =>
    metrics.observe(
      'tourniquet_report_lag_seconds',
      { reporter },
      Math.max(0, until - Date.parse(at)) / 1000,
    ),
});

/** One line for each thing that happened to an incident; identifiers only, for the words are in the incident log. */
const logging = (log: Log): Witness => ({
  appended({ id, fresh }: Appended) {
    for (const event of fresh)
      log.info({ incident: id, v: event.v, ...identifiers(event) }, `incident: ${event.type}`);
  },
  repeated: ({ id, source }) => log.debug({ incident: id, source }, 'incident: heard again'),
  shown: ({ id, reporter, version }) => log.debug({ incident: id, v: version, reporter }, 'incident: shown'),
});

function identifiers(event: IncidentEvent): object {
  switch (event.type) {
    case 'step-started':
      return { run: event.run, step: event.step, attempt: event.attempt };
    case 'step-noted':
    case 'step-progressed':
      return { run: event.run, step: event.step };
    case 'step-ended':
      return { run: event.run, step: event.step, result: event.outcome.verdict };
    case 'run-stopped':
      return { run: event.run };
    case 'decided':
      return { verb: event.decision.verb, by: event.decision.by };
    case 'proved':
    case 'rechecked':
      return { result: event.outcome.verdict };
    case 'closed':
      return { as: event.as };
    case 'trouble':
      return { work: event.work };
    case 'alert-received':
      return { source: event.alert.source };
    default:
      return {};
  }
}

function showVitals(metrics: Metrics, { queues, sockets, clusters, clockAheadMs }: Vitals): void {
  const ahead = clockAheadMs();
  if (ahead !== undefined) metrics.set('tourniquet_clock_ahead_seconds', {}, ahead / 1000);
  for (const [queue, running] of queues) {
    metrics.set('tourniquet_poll_age_seconds', { queue }, running.lastPollAgeMs() / 1000);
    metrics.set('tourniquet_oldest_job_seconds', { queue }, running.oldestJobMs() / 1000);
  }
  if (sockets) metrics.set('tourniquet_slack_sockets', {}, sockets());
  for (const [cluster, problem] of clusters)
    metrics.set('tourniquet_cluster_up', { cluster }, problem === '' ? 1 : 0);
}
