// Health and metrics on a port of their own, for the cluster and not for the world. The worker serves nothing else.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { scrub } from '../../domain/text/scrub.ts';

export interface HealthOptions {
  host: string;
  port: number;
  /** What only a restart repairs, one line each; empty when all is well. */
  alive(): Promise<string[]>;
  /** Problems that make this process useless for now; empty when ready. */
  ready(): Promise<string[]>;
  /** What /healthz tells besides, such as whether Slack is connected. */
  detail(): object;
  metrics: { contentType: string; text(): Promise<string> };
}

export async function startHealth(options: HealthOptions): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer(({ url }, response) => {
    answer(options, url ?? '', response).catch(() => response.writeHead(500).end());
  });
  const { host, port } = options;
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

async function answer(options: HealthOptions, url: string, response: ServerResponse): Promise<void> {
  const send = (status: number, type: string, text: string): void => {
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(scrub(text));
  };
  if (url === '/metrics') return send(200, options.metrics.contentType, await options.metrics.text());
  if (url === '/healthz') {
    const problems = await options.alive();
    const said = { status: problems.length > 0 ? 'stuck' : 'alive', problems, ...options.detail() };
    return send(problems.length > 0 ? 503 : 200, 'application/json', `${JSON.stringify(said)}\n`);
  }
  if (url !== '/readyz') return send(404, 'text/plain', 'Ask for /healthz, /readyz or /metrics.\n');
  const problems = await options.ready();
  const said = { status: problems.length > 0 ? 'not ready' : 'ready', problems };
  return send(problems.length > 0 ? 503 : 200, 'application/json', `${JSON.stringify(said)}\n`);
}
