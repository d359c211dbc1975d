// A receiver of webhooks: real HTTP, every delivery verified by the library that a receiver would use, and answers as the test says.
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { Secret } from '../src/secret.ts';

export interface Delivery {
  id: string;
  /** As the library returned it after verifying the signature. */
  message: { type: string; timestamp: string; data: Record<string, unknown> };
  raw: string;
}

/** A status, or a redirect to this path, or nothing at all. */
export type Answer = number | { to: string } | 'silence' | 'reset';

export async function startReceiver(tls?: { key: string; cert: string }) {
  const secret = new Secret(`whsec_${randomBytes(32).toString('base64')}`);
  const deliveries: Delivery[] = [];
  const answers: Answer[] = [];
  const paths: string[] = [];
  const handle: Parameters<typeof createServer>[1] = (request, response) => {
    paths.push(request.url ?? '');
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString();
      const headers = request.headers as Record<string, string>;
      const id = headers['webhook-id'] ?? '';
      const signed = new Webhook(secret.reveal()).sign(
        id,
        new Date(Number(headers['webhook-timestamp']) * 1000),
        raw,
      );
      if (signed !== headers['webhook-signature']) return void response.writeHead(401).end();
      deliveries.push({ id, message: JSON.parse(raw), raw });
      const answer = answers.shift() ?? 204;
      if (answer === 'silence') return;
      if (answer === 'reset') return void request.socket.resetAndDestroy();
      if (typeof answer === 'number') return void response.writeHead(answer).end('its own words');
      response.writeHead(307, { location: answer.to }).end();
    });
  };
  const server: Server = tls ? createTlsServer(tls, handle) : createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/calls`,
    secret,
    deliveries,
    /** For the next deliveries, one each; then 204. */
    answers,
    paths,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
