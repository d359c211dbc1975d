// The worker's health endpoint: it takes no other request, because the worker has no ingress.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HealthOptions {
  host: string;
  port: number;
  /** Problems that make this process useless for now; empty when ready. */
  ready(): Promise<string[]>;
}

export async function startHealth({
  host,
  port,
  ready,
}: HealthOptions): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer(async ({ url }, response) => {
    if (url !== '/healthz' && url !== '/readyz') return void response.writeHead(404).end();
    const problems = url === '/readyz' ? await ready() : [];
    response.writeHead(problems.length > 0 ? 503 : 200, { 'content-type': 'text/plain' });
    response.end(`${problems.join('\n') || 'ok'}\n`);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
