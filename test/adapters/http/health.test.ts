// Health and metrics over HTTP: what a kubelet and a Prometheus see.
import { afterEach, expect, it } from 'vitest';
import { type HealthOptions, startHealth } from '../../../src/adapters/http/health.ts';

let close: () => Promise<void>;
afterEach(() => close());

async function serve(given: Partial<HealthOptions> = {}) {
  const server = await startHealth({
    host: '127.0.0.1',
    port: 0,
    alive: async () => [],
    ready: async () => [],
    detail: () => ({ slack: 'connected' }),
    metrics: { contentType: 'text/plain; version=0.0.4', text: async () => 'a 1\n' },
    ...given,
  });
  close = server.close;
  return async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
  };
}

it('tells a scraper the numbers, and a kubelet that all is well', async () => {
  const get = await serve();
  expect(await get('/metrics')).toEqual({ status: 200, type: 'text/plain; version=0.0.4', text: 'a 1\n' });
  const health = await get('/healthz');
  expect([health.status, JSON.parse(health.text)]).toEqual([
    200,
    { status: 'alive', problems: [], slack: 'connected' },
  ]);
  expect(await get('/readyz')).toMatchObject({ status: 200, text: '{"status":"ready","problems":[]}\n' });
  expect(await get('/hooks/report')).toMatchObject({ status: 404 });
});

it('says what is wrong, and tells stuck from not ready', async () => {
  const get = await serve({
    alive: async () => ['It is stuck.'],
    ready: async () => ['No cluster answers.'],
  });
  const [health, ready] = [await get('/healthz'), await get('/readyz')];
  expect([health.status, JSON.parse(health.text)]).toEqual([
    503,
    { status: 'stuck', problems: ['It is stuck.'], slack: 'connected' },
  ]);
  expect([ready.status, JSON.parse(ready.text)]).toEqual([
    503,
    { status: 'not ready', problems: ['No cluster answers.'] },
  ]);
});

it('a scrape that fails is an error and not an end', async () => {
  const get = await serve({
    metrics: { contentType: 'text/plain', text: () => Promise.reject(new Error('a number is missing')) },
  });
  expect(await get('/metrics')).toMatchObject({ status: 500, text: '' });
  expect(await get('/healthz')).toMatchObject({ status: 200 });
});
