// One trace for one incident, as a collector gets it over HTTP from two processes that know nothing of each other.
import { execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTracing, type Tracing } from '../../../src/adapters/otlp/exporter.ts';
import { doReport } from '../../../src/engine/door/report.ts';
import { Secret } from '../../../src/secret.ts';
import { commandBlock } from '../../command-blocks.ts';
import { type Harness, seedLegacy, startHarness } from '../../engine/harness.ts';

interface Received {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  status: { code?: number };
}

let collector: Server;
let status = 200;
let bodies: string[];
let asked: { url?: string | undefined; key?: unknown }[];
let harness: Harness;
const log = { lines: [] as string[], warn: note, info: note };
function note(fields: object, message: string): void {
  log.lines.push(`${message} ${JSON.stringify(fields)}`);
}

beforeEach(async () => {
  [status, bodies, asked, log.lines] = [200, [], [], []];
  collector = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    asked.push({ url: request.url, key: request.headers['x-key'] });
    if (status === 200) bodies.push(Buffer.concat(chunks).toString());
    response.writeHead(status, status === 307 ? { location: '/elsewhere' } : {}).end('{}');
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  harness = await startHarness();
});
afterEach(async () => {
  await harness.close();
  collector.closeAllConnections();
  collector.close();
});

const tracingOf = (role: string): Tracing => {
  const { port } = collector.address() as AddressInfo;
  const headers = new Secret('x-key=a%20key, other=1');
  return createTracing({ endpoint: `http://127.0.0.1:${port}/`, headers, role, version: '1.2.3', log });
};

const spans = (): Received[] =>
  bodies.flatMap(
    (body) =>
      (JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Received[] }[] }[] }).resourceSpans[0]
        ?.scopeSpans[0]?.spans ?? [],
  );

/** As the document says how to find it. */
function traceIdOf(id: string): string {
  const typed = commandBlock('docs/observability.md', 'trace-id').replace('0a1b2c3d4e', id);
  return execFileSync('sh', ['-c', typed]).toString().trim();
}

it('has one root from the webhook to the proof, with everything below it, and no token anywhere', async () => {
  const [bot, worker] = [tracingOf('bot'), tracingOf('worker')];
  const { deps } = harness;
  deps.witness = bot.witness;
  const token = await seedLegacy(harness.cluster());
  const { incidentId: id } = await harness.leak(token);
  const paper = { name: 'paper', report: async () => harness.incident(id).version };
  // Owed by nobody, or the rest of the story would wait for it.
  await doReport(deps, [paper], { kind: 'report', incidentId: id });
  deps.witness = worker.witness;
  await harness.run(id, 20_000);
  await harness.click(id, 'approve', 'UINES');
  await harness.run(id, 20_000);
  await Promise.all([bot.flush(), worker.flush()]);

  const all = spans();
  expect(new Set(all.map(({ traceId }) => traceId)).size).toBe(1);
  expect(all[0]?.traceId).toBe(traceIdOf(id));
  expect(new Set(all.map(({ spanId }) => spanId)).size).toBe(all.length);
  const [root, ...others] = all.filter(({ parentSpanId }) => parentSpanId === undefined);
  expect([root?.name, others]).toEqual(['incident', []]);
  const below = (name: string): string[] => {
    const parents = all.filter((one) => one.name === name).map(({ spanId }) => spanId);
    return all.filter(({ parentSpanId = '' }) => parents.includes(parentSpanId)).map((one) => one.name);
  };
  expect(below('incident').toSorted()).toEqual([
    'identify',
    'plan',
    'prove',
    'prove',
    'receive',
    'report',
    'run contain',
    'run plan',
    'wait for people',
  ]);
  expect(below('run contain')).toEqual(['step quarantine-token']);
  expect(below('run plan')).toEqual(['step delete-token-secret']);
  expect(below('prove')).toEqual(['probe', 'probe', 'probe', 'probe']);
  const first = Math.min(...all.map(({ startTimeUnixNano }) => Number(startTimeUnixNano)));
  expect(Number(root?.startTimeUnixNano)).toBe(first);
  for (const { startTimeUnixNano, endTimeUnixNano } of all)
    expect(BigInt(endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano));
  expect(all.filter(({ status: { code } }) => code !== undefined)).toEqual([]);

  expect(asked[0]).toEqual({ url: '/v1/traces', key: 'a key' });
  for (const secret of [...token.split('.').slice(1), 'api-token', 'payments'])
    expect(bodies.join('')).not.toContain(secret);
});

it('marks what did not work', async () => {
  const worker = tracingOf('worker');
  harness.deps.witness = worker.witness;
  const at = { namespace: 'payments', serviceAccount: 'nobody' };
  const alert = { source: 'report', subject: { kind: 'coordinates', at } } as const;
  const { incidentId: id } = await harness.front.report({ alert });
  await harness.run(id);
  await worker.flush();
  expect(spans().map(({ name, status: { code } }) => [name, code])).toEqual([
    ['receive', undefined],
    ['identify', 2],
  ]);
});

it('a collector that is away holds nothing up, is complained of once, and misses only what it was away for', async () => {
  const worker = tracingOf('worker');
  harness.deps.witness = worker.witness;
  const token = await seedLegacy(harness.cluster());
  status = 503;
  const { incidentId: id } = await harness.leak(token);
  await worker.flush();
  await harness.run(id);
  await worker.flush();
  expect(log.lines).toEqual([expect.stringContaining('HTTP 503')]);
  status = 200;
  await harness.run(id, 20_000);
  await worker.flush();
  expect(log.lines).toHaveLength(2);
  expect(spans().map(({ name }) => name)).toContain('prove');
});

it('goes where the configuration says, with its key, and nowhere that the collector names', async () => {
  status = 307;
  const tracing = tracingOf('bot');
  tracing.witness.shown({ id: 'a', reporter: 'slack', version: 1, at: '', from: 0, until: 1 });
  await tracing.flush();
  expect(asked).toEqual([{ url: '/v1/traces', key: 'a key' }]);
  expect(log.lines).toEqual([expect.stringContaining('HTTP 307')]);
});
