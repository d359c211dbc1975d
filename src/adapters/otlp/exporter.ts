// Sends spans to an OpenTelemetry collector by OTLP over HTTP, as JSON: a few at a time, beside the work, and never in its way.
import { scrubbed } from '../../domain/text/scrub.ts';
import type { Witness } from '../../ports/witness.ts';
import type { Secret } from '../../secret.ts';
import { type Span, spanOfReport, spansOf } from './spans.ts';

export interface TracingOptions {
  /** As OTEL_EXPORTER_OTLP_ENDPOINT: what /v1/traces is put behind. */
  endpoint: string;
  /** As OTEL_EXPORTER_OTLP_HEADERS: `name=value,name=value`. */
  headers?: Secret | undefined;
  role: string;
  version: string;
  log: { warn(fields: object, message: string): void; info(fields: object, message: string): void };
}

export interface Tracing {
  witness: Witness;
  /** Sends what is waiting. Never rejects: spans that a collector does not take are dropped. */
  flush(): Promise<void>;
}

/** Of the spans that wait; more than this are dropped, oldest first. */
const MOST = 2048;
const AT_ONCE = 512;
const DEADLINE_MS = 5000;

export function createTracing(options: TracingOptions): Tracing {
  const { log } = options;
  let waiting: Span[] = [];
  let down = false;
  const keep = (spans: readonly Span[]): void => {
    waiting = [...waiting, ...spans].slice(-MOST);
  };
  return {
    witness: {
      appended: (seen) => keep(spansOf(seen)),
      shown: (seen) => keep([spanOfReport(seen)]),
    },
    async flush() {
      while (waiting.length > 0) {
        const batch = waiting.splice(0, AT_ONCE);
        const problem = await send(options, batch);
        if (problem !== undefined && !down)
          log.warn(
            { problem, spans: batch.length },
            'the trace collector takes no spans; they are dropped until it does',
          );
        if (problem === undefined && down) log.info({}, 'the trace collector takes spans again');
        down = problem !== undefined;
        if (down) return;
      }
    },
  };
}

/** Undefined: taken. Otherwise why not, without anything that the collector said. */
async function send(options: TracingOptions, spans: readonly Span[]): Promise<string | undefined> {
  try {
    const response = await fetch(`${options.endpoint.replace(/\/+$/, '')}/v1/traces`, {
      method: 'POST',
      headers: { ...headersOf(options.headers), 'content-type': 'application/json' },
      body: JSON.stringify(scrubbed(bodyOf(options, spans))),
      // It would take the key along to whoever it names.
      redirect: 'manual',
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    await response.body?.cancel();
    return response.ok ? undefined : `HTTP ${response.status}`;
  } catch (error) {
    return error instanceof Error && error.name === 'TimeoutError'
      ? 'no answer in time'
      : 'cannot be reached';
  }
}

function headersOf(headers: Secret | undefined): Record<string, string> {
  const pairs = (headers?.reveal() ?? '').split(',').filter((pair) => pair.includes('='));
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())];
    }),
  );
}

const SERVER = 2;
const ERROR = 2;

function bodyOf({ role, version }: TracingOptions, spans: readonly Span[]): object {
  const resource = { 'service.name': 'tourniquet', 'service.version': version, 'tourniquet.role': role };
  return {
    resourceSpans: [
      {
        resource: { attributes: attributes(resource) },
        scopeSpans: [{ scope: { name: 'tourniquet', version }, spans: spans.map(encoded) }],
      },
    ],
  };
}

const encoded = ({ start, end, attributes: own, failed, ...rest }: Span): object => ({
  ...rest,
  kind: rest.name === 'receive' ? SERVER : 1,
  startTimeUnixNano: nanos(start),
  endTimeUnixNano: nanos(end),
  attributes: attributes(own),
  status: failed ? { code: ERROR } : {},
});

const nanos = (ms: number): string => String(BigInt(Math.round(ms)) * 1_000_000n);

const attributes = (values: Record<string, string | number>): object[] =>
  Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
  }));
